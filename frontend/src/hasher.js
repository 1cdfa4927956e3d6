// A worker that reads a file in pieces: its whole SHA-256, and a fingerprint of some of its bytes. Constant memory.
//
// in:  { file }                once
//      { allow }               read up to this byte; so that reading stays near what is being sent, and in the cache
// out: { fingerprint }         of size and three samples
//      { sha256 }              of the whole file, hexadecimal
//      { error }               "unreadable": the file was changed, moved or deleted; "failed": no hash, for other reasons
//
// A program of its own: see docs/decisions/009-uploading.md for why the hash is WebAssembly and why it is here.

import { createSHA256 } from "hash-wasm";

const PIECE_BYTES = 4 * 2 ** 20;
const SAMPLE_BYTES = 256 * 2 ** 10;

let allowed = 0;
let wake = () => {};

self.addEventListener("message", async ({ data }) => {
  if (data.allow !== undefined) {
    allowed = Math.max(allowed, data.allow);
    wake();
    return;
  }
  try {
    const sum = await createSHA256();
    self.postMessage({ fingerprint: await fingerprint(data.file, sum) });
    self.postMessage({ sha256: await whole(data.file, sum) });
  } catch (error) {
    self.postMessage({ error: error instanceof DOMException ? "unreadable" : "failed" });
  }
});

async function fingerprint(file, sum) {
  sum.init();
  sum.update(`${file.size}:`);
  for (const start of [0, Math.floor((file.size - SAMPLE_BYTES) / 2), file.size - SAMPLE_BYTES]) {
    sum.update(await bytes(file, Math.max(0, start), SAMPLE_BYTES));
  }
  return sum.digest("hex");
}

async function whole(file, sum) {
  sum.init();
  for (let at = 0; at < file.size; at += PIECE_BYTES) {
    while (at >= allowed) await new Promise((resolve) => (wake = resolve));
    sum.update(await bytes(file, at, PIECE_BYTES));
  }
  return sum.digest("hex");
}

const bytes = async (file, start, size) => new Uint8Array(await file.slice(start, start + size).arrayBuffer());
