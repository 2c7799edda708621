// Bundles the tests with the modules that they test, and runs them with Node's own test runner.
import { spawnSync } from "node:child_process";
import { readdirSync } from "node:fs";
import { build } from "esbuild";
import { shared } from "./build.mjs";

const outdir = "node_modules/.cache/inbox-tests";
const entryPoints = readdirSync("test").map((name) => `test/${name}`);
await build({ ...shared, entryPoints, outdir, platform: "node", outExtension: { ".js": ".mjs" }, sourcemap: "inline" });
const bundled = readdirSync(outdir).map((name) => `${outdir}/${name}`);
process.exit(spawnSync(process.execPath, ["--enable-source-maps", "--test", ...bundled], { stdio: "inherit" }).status ?? 1);
