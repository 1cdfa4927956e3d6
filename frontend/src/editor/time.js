// Times as people write them in the editor: 1:02:03.450. Everything else counts whole milliseconds.

/** Milliseconds as text, always with three digits behind the point. */
export function timeText(ms) {
  const two = (number) => String(number).padStart(2, "0");
  const hours = Math.floor(ms / 3_600_000);
  const minutes = Math.floor(ms / 60_000) % 60;
  const seconds = Math.floor(ms / 1000) % 60;
  const rest = String(ms % 1000).padStart(3, "0");
  return hours ? `${hours}:${two(minutes)}:${two(seconds)}.${rest}` : `${minutes}:${two(seconds)}.${rest}`;
}

/** What timeText writes, and what people write instead ("62", "1:02,5", digits of any script); null if it is no time. */
export function parseTime(text) {
  const digits = text
    .trim()
    .replace(/\p{Nd}/gu, (digit) => String(decimalValue(digit)))
    .replace("٫", ".");
  const match = digits.match(/^(?:(?:(\d{1,2}):)?(\d{1,3}):)?(\d{1,6}(?:[.,]\d+)?)$/);
  if (!match) return null;
  const seconds = Number(match[1] ?? 0) * 3600 + Number(match[2] ?? 0) * 60 + Number(match[3].replace(",", "."));
  return Math.round(seconds * 1000);
}

/** Decimal digits stand in runs of ten, 0 to 9 (Unicode Standard, 4.6). */
function decimalValue(digit) {
  let zero = digit.codePointAt(0);
  const last = zero - 9;
  while (zero > last && /\p{Nd}/u.test(String.fromCodePoint(zero - 1))) zero -= 1;
  return (digit.codePointAt(0) - zero) % 10;
}
