/** What the server or the way to it said no to.
 *
 * `isFinal`: trying again cannot help. `isRefusal`: somebody answered, as against no connection. */
export class UploadError extends Error {
  constructor(message, { isFinal = false, isRefusal = false, code = "" } = {}) {
    super(message);
    this.isFinal = isFinal;
    this.isRefusal = isRefusal;
    this.code = code;
  }
}

/** An answer that is not a success, in the server's own words if it has some (RFC 9457, or S3's XML). */
export function refusal(status, text, { full, refused }) {
  let problem = {};
  try {
    problem = JSON.parse(text);
  } catch {
    // Not ours: a proxy's page or S3's XML.
  }
  // 403 and 404 of a part, from S3, are an address that grew old: a new one is asked for. 408, 429 and 5xx pass.
  const isOld = [403, 404].includes(status) && problem.code === undefined;
  const mayPass = status >= 500 || [408, 425, 429].includes(status) || isOld;
  const isOldAddress = problem.code === "address_expired" || problem.code === "cut_off";
  return new UploadError(problem.title || (status === 507 ? full : refused), {
    isFinal: !mayPass && !isOldAddress,
    isRefusal: true,
    code: problem.code ?? "",
  });
}
