// After tsc: the two doors that every worker opens, as one file each, for what a start costs is the number of files. They are
// what a task file imports as "kagurazaka", and what a worker runs. What is loaded only when it is needed stays where tsc has
// put it.
import { readFile } from "node:fs/promises";
import { dirname, join, relative, resolve } from "node:path";
import { fileURLToPath } from "node:url";
import { build } from "esbuild";

const root = dirname(fileURLToPath(import.meta.url));

for (const door of ["src/index", "src/runner/worker/main"]) {
  await build({
    entryPoints: [join(root, `${door}.ts`)],
    outfile: join(root, `dist/${door}.js`),
    allowOverwrite: true,
    bundle: true,
    format: "esm",
    platform: "node",
    target: "node20",
    packages: "external",
    sourcemap: true,
    sourcesContent: false,
    logLevel: "warning",
    plugins: [seenFrom(dirname(join(root, door)))],
  });
}

/** What modules say of places, as seen from where they end up: `import("./jsonl.js")` and `import.meta.url`. */
function seenFrom(dir) {
  const path = (absolute) => {
    const seen = relative(dir, absolute);
    return seen.startsWith(".") ? seen : `./${seen}`;
  };
  return {
    name: "seen-from",
    setup(esbuild) {
      esbuild.onResolve({ filter: /^\./ }, ({ kind, path: said, resolveDir }) =>
        kind === "dynamic-import" ? { path: path(resolve(resolveDir, said)), external: true } : undefined,
      );
      esbuild.onLoad({ filter: /\.ts$/ }, async ({ path: file }) => {
        const text = await readFile(file, "utf8");
        const own = `new URL(${JSON.stringify(path(file.replace(/\.ts$/, ".js")))}, import.meta.url).href`;
        return { contents: text.replaceAll("import.meta.url", own), loader: "ts" };
      });
    },
  };
}
