// Builds dist/*.js. The types (dist/*.d.ts) are written by tsc, see "build" in package.json.
import { readFile, rm } from "node:fs/promises";
import { build, transform } from "esbuild";

/** Imports a stylesheet as minified text, for a constructed stylesheet. */
const stylesheets = {
  name: "stylesheets",
  setup: ({ onLoad }) =>
    onLoad({ filter: /\.css$/ }, async ({ path }) => {
      const { code } = await transform(await readFile(path, "utf8"), { loader: "css", minify: true });
      return { contents: code.trim(), loader: "text" };
    }),
};

export const shared = {
  bundle: true,
  format: "esm",
  target: "es2022",
  charset: "utf8",
  plugins: [stylesheets],
  external: ["firebase/firestore"],
  logLevel: "warning",
};

if (process.argv[1] === import.meta.filename) {
  await rm("dist", { recursive: true, force: true });
  await build({
    ...shared,
    entryPoints: {
      index: "src/index.ts",
      panel: "src/panel.ts",
      firestore: "src/firestore.ts",
      "messages/de": "src/messages/de.ts",
      "messages/ar": "src/messages/ar.ts",
    },
    outdir: "dist",
    splitting: true,
    chunkNames: "shared-[hash]",
    minify: true,
    legalComments: "none",
  });
}
