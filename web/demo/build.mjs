// Builds dist/firestore.js, and dist/LICENSES.txt with the licences of the packages that are in it.
import { readFile, rm, writeFile } from "node:fs/promises";
import { build } from "esbuild";

const BUNDLE = "dist/firestore.js";
// Google's packages contain no licence text. This one, which Firestore needs on a server, has the text of their licence.
const APACHE_2 = "node_modules/@grpc/grpc-js/LICENSE";

await rm("dist", { recursive: true, force: true });
const { metafile } = await build({
  entryPoints: ["firestore.js"],
  outfile: BUNDLE,
  bundle: true,
  format: "esm",
  target: "es2022",
  charset: "utf8",
  minify: true,
  banner: { js: "/* The licences of this bundle's packages are in LICENSES.txt. */" },
  legalComments: "none",
  metafile: true,
  logLevel: "warning",
});

const inputs = Object.entries(metafile.outputs[BUNDLE].inputs).filter(([, { bytesInOutput }]) => bytesInOutput > 0);
const folders = new Set(inputs.map(([path]) => /.*node_modules\/(?:@[^/]+\/)?[^/]+/.exec(path)?.[0]).filter(Boolean));
const packages = (await Promise.all([...folders].map(described))).sort((one, other) => (one.name < other.name ? -1 : 1));
const google = packages.filter(({ license }) => license === "Apache-2.0");
const notices = [
  notice(google, `Copyright Google LLC\n\n${await readFile(APACHE_2, "utf8")}`),
  ...(await Promise.all(
    packages.filter((each) => !google.includes(each)).map(async (each) => notice([each], await readFile(`${each.folder}/LICENSE`, "utf8"))),
  )),
];
await writeFile("dist/LICENSES.txt", notices.join(`\n${"-".repeat(80)}\n\n`));

async function described(folder) {
  const { name, version, license } = JSON.parse(await readFile(`${folder}/package.json`, "utf8"));
  return { folder, name, version, license };
}

function notice(packages, text) {
  return `${packages.map(({ name, version, license }) => `${name} ${version} (${license})`).join("\n")}\n\n${text.trim()}\n`;
}
