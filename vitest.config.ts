import { readFileSync } from "node:fs";
import { transform } from "esbuild";
import { defineConfig } from "vitest/config";

/** Vitest's own compiler does not lower TC39 decorators; esbuild does. */
const lowerDecorators = {
  name: "lower-decorators",
  enforce: "pre" as const,
  async transform(code: string, id: string) {
    if (!/\.ts$/.test(id) || id.includes("/node_modules/")) return undefined;
    const out = await transform(code, {
      loader: "ts",
      target: "node20",
      sourcemap: true,
      sourcefile: id,
      keepNames: true,
    });
    return { code: out.code, map: out.map };
  },
};

const exports = JSON.parse(readFileSync(new URL("./package.json", import.meta.url), "utf8")).exports as Record<
  string,
  { default?: string }
>;
const built = (door: string) => new URL(exports[door]!.default!, import.meta.url).pathname;

export default defineConfig({
  oxc: false,
  plugins: [lowerDecorators],
  resolve: {
    alias: [
      { find: /^kagurazaka$/, replacement: built(".") },
      { find: /^kagurazaka\/kit$/, replacement: built("./kit") },
      { find: /^kagurazaka\/testing$/, replacement: built("./testing") },
    ],
  },
  test: {
    include: ["test/**/*.test.ts"],
    testTimeout: 60_000,
    hookTimeout: 60_000,
    pool: "forks",
    maxWorkers: 2,
    // A machine that others use too may be late once; a test that fails twice in a row is told of as ever.
    retry: process.env.CI ? 1 : 0,
    // The built product is run as Node runs it, not through the test compiler.
    server: { deps: { external: [/\/dist\//] } },
  },
});
