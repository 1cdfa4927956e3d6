// Numbers, sizes and times in the page's language.

const language = () => document.documentElement.lang || undefined;

export const fill = (text, facts) => text.replace(/\{(\w+)\}/g, (_all, name) => facts[name]);

export const number = (value) => new Intl.NumberFormat(language()).format(value);

export function bytes(value) {
  const units = ["byte", "kilobyte", "megabyte", "gigabyte", "terabyte"];
  const step = Math.min(units.length - 1, Math.max(0, Math.floor(Math.log10(Math.max(1, value)) / 3)));
  const digits = step ? 1 : 0;
  const format = { style: "unit", unit: units[step], unitDisplay: step ? "short" : "long", maximumFractionDigits: digits };
  return new Intl.NumberFormat(language(), format).format(value / 1_000 ** step);
}

export function duration(seconds) {
  const [value, unit] =
    seconds < 90 ? [seconds, "second"] : seconds < 5_400 ? [seconds / 60, "minute"] : [seconds / 3_600, "hour"];
  const format = { style: "unit", unit, unitDisplay: "long", maximumFractionDigits: unit === "hour" ? 1 : 0 };
  return new Intl.NumberFormat(language(), format).format(Math.max(1, value));
}
