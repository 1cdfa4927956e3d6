// Builds everything in src/ into dist/, which Django serves as static files named `rostrum/...`.
import { copyFile, mkdir, readFile, rm, writeFile } from "node:fs/promises";
import { existsSync } from "node:fs";
import { createRequire } from "node:module";
import path from "node:path";
import { fileURLToPath } from "node:url";

import * as esbuild from "esbuild";

import { ICONS } from "./icons.mjs";

const here = path.dirname(fileURLToPath(import.meta.url));
const require = createRequire(import.meta.url);
const dist = path.join(here, "dist");
const packageFile = (name, file) => path.join(path.dirname(require.resolve(`${name}/package.json`)), file);
const optional = (file) => (existsSync(path.join(here, file)) ? [path.join(here, file)] : []);

const scripts = {
  entryPoints: [
    path.join(here, "src/pages.js"),
    ...optional("src/uploader.js"),
    { in: path.join(here, "src/player/index.js"), out: "player" },
  ].map((entry) => (typeof entry === "string" ? { in: entry, out: path.basename(entry, ".js") } : entry)),
  bundle: true,
  format: "esm",
  target: ["es2020", "safari14"],
};

const styles = {
  entryPoints: [
    { in: packageFile("bootstrap", "dist/css/bootstrap.css"), out: "bootstrap.min" },
    { in: packageFile("bootstrap", "dist/css/bootstrap.rtl.css"), out: "bootstrap.rtl.min" },
    { in: path.join(here, "src/styles/base.css"), out: "base" },
    { in: path.join(here, "src/styles/player.css"), out: "player" },
  ],
  bundle: true,
};

const common = {
  outdir: dist,
  minify: true,
  legalComments: "eof",
  logLevel: "warning",
  // Addresses in style sheets are data: or name files that do not exist at build time.
  external: ["*.svg", "*.woff2"],
};

/** One SVG file with a <symbol> per icon that the pages use (icons.mjs), from Bootstrap Icons. */
async function writeIcons() {
  const symbols = await Promise.all(
    Object.entries(ICONS).map(async ([name, source]) => {
      const svg = await readFile(packageFile("bootstrap-icons", `icons/${source}.svg`), "utf8");
      const [, body] = svg.match(/<svg[^>]*>([\s\S]*)<\/svg>/);
      return `<symbol id="${name}" viewBox="0 0 16 16">${body.trim()}</symbol>`;
    }),
  );
  await writeFile(
    path.join(dist, "icons.svg"),
    `<svg xmlns="http://www.w3.org/2000/svg" fill="currentColor">\n${symbols.join("\n")}\n</svg>\n`,
  );
}

await mkdir(dist, { recursive: true });
if (process.argv.includes("--watch")) {
  for (const options of [scripts, styles]) {
    const context = await esbuild.context({ ...options, ...common, minify: false });
    await context.watch();
  }
} else {
  await Promise.all([scripts, styles].map((options) => esbuild.build({ ...options, ...common })));
}
await writeIcons();
await copyFile(packageFile("htmx.org", "dist/htmx.min.js"), path.join(dist, "htmx.min.js"));
await copyFile(path.join(here, "src/favicon.svg"), path.join(dist, "favicon.svg"));
// Its time tells tests and `make` whether a build is needed.
await rm(path.join(dist, ".built"), { force: true });
await writeFile(path.join(dist, ".built"), "");
