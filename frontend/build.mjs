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

/** hls.js brings much that recordings of ours never need: its parts for subtitles (ours are drawn from <track>), DRM,
 * advertising and others. They are named only in its default settings, so without these names the bundler drops them:
 * a quarter of what viewers on slow lines would have to fetch. */
const leanHls = {
  name: "lean-hls",
  setup(build) {
    const unused = ["subtitleStream", "subtitleTrack", "timeline", "eme", "cmcd", "contentSteering", "iframe", "interstitials"];
    build.onLoad({ filter: /node_modules[\\/]hls\.js[\\/]dist[\\/]hls\.mjs$/ }, async ({ path: file }) => {
      let contents = (await readFile(file, "utf8")).replace("    cueHandler: Cues,\n", "");
      const missing = [];
      for (const name of unused) {
        const line = new RegExp(`^  ${name}Controller: \\w+ ?(,?)$`, "m");
        if (!line.test(contents)) missing.push(`${name}Controller`);
        contents = contents.replace(line, `  ${name}Controller: undefined$1`);
      }
      if (missing.length) return { errors: [{ text: `hls.js names no ${missing.join(", ")} any more: see build.mjs` }] };
      return { contents, loader: "js" };
    });
  },
};

/** Media Chrome writes its styles as <style> elements, which our content security policy (style-src 'self') forbids.
 *
 * This plugin has its templates filled by src/player/shadow-styles.js, which turns them into constructed style sheets.
 * It stops the build when a new version no longer looks as expected. */
const constructedStyles = {
  name: "constructed-styles",
  setup(build) {
    const helper = path.join(here, "src/player/shadow-styles.js");
    const filled = new Set();
    build.onLoad({ filter: /node_modules[\\/]media-chrome[\\/]dist[\\/].*\.js$/ }, async ({ path: file }) => {
      const source = await readFile(file, "utf8");
      const contents = source
        .replaceAll(
          "this.shadowRoot.setHTMLUnsafe ? this.shadowRoot.setHTMLUnsafe(html) : this.shadowRoot.innerHTML = html",
          "fillShadowRoot(this.shadowRoot, html)",
        )
        .replace(/this\.shadowRoot\.innerHTML = (.+);/g, "fillShadowRoot(this.shadowRoot, $1);")
        .replaceAll("style:not([media])", "shadow-style:not([media])");
      if (contents === source) return null;
      if (contents.includes("fillShadowRoot(")) filled.add(path.basename(file));
      return { contents: `import { fillShadowRoot } from ${JSON.stringify(helper)};\n${contents}`, loader: "js" };
    });
    build.onEnd(() => {
      const expected = ["media-container.js", "media-chrome-button.js", "media-chrome-range.js"];
      const missing = expected.filter((file) => !filled.has(file));
      if (missing.length) return { errors: [{ text: `No template was found in ${missing.join(", ")}: see build.mjs` }] };
    });
  },
};

/** wavesurfer.js also writes its styles as a <style> element; see constructedStyles. */
const constructedWaveStyles = {
  name: "constructed-wave-styles",
  setup(build) {
    const helper = path.join(here, "src/player/shadow-styles.js");
    build.onLoad({ filter: /node_modules[\\/]wavesurfer\.js[\\/]dist[\\/]renderer\.js$/ }, async ({ path: file }) => {
      const source = await readFile(file, "utf8");
      const contents = source
        .replace("shadow.innerHTML = `", "fillShadowRoot(shadow, `")
        .replace(/`;(\s*return \[div, shadow\];)/, "`);$1");
      if (!/fillShadowRoot\(shadow[\s\S]*`\);\s*return \[div, shadow\];/.test(contents)) {
        return { errors: [{ text: "wavesurfer.js no longer fills its shadow root as expected: see build.mjs" }] };
      }
      return { contents: `import { fillShadowRoot } from ${JSON.stringify(helper)};\n${contents}`, loader: "js" };
    });
  },
};

const scripts = {
  entryPoints: [
    path.join(here, "src/pages.js"),
    ...optional("src/uploader.js"),
    ...optional("src/ear.js"),
    ...optional("src/hasher.js"),
    ...optional("src/cut.js"),
    ...optional("src/light.js"),
    { in: path.join(here, "src/player/index.js"), out: "player" },
    { in: path.join(here, "src/player/hls.js"), out: "hls" },
    { in: path.join(here, "src/editor/index.js"), out: "editor" },
  ].map((entry) => (typeof entry === "string" ? { in: entry, out: path.basename(entry, ".js") } : entry)),
  bundle: true,
  format: "esm",
  target: "es2020",
  plugins: [constructedStyles, constructedWaveStyles, leanHls],
};

const styles = {
  entryPoints: [
    { in: packageFile("bootstrap", "dist/css/bootstrap.css"), out: "bootstrap.min" },
    { in: packageFile("bootstrap", "dist/css/bootstrap.rtl.css"), out: "bootstrap.rtl.min" },
    { in: path.join(here, "src/styles/base.css"), out: "base" },
    { in: path.join(here, "src/styles/player.css"), out: "player" },
    { in: path.join(here, "src/styles/light.css"), out: "light" },
    { in: path.join(here, "src/styles/embed.css"), out: "embed" },
    { in: path.join(here, "src/styles/editor.css"), out: "editor" },
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
