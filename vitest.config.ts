import { readFileSync } from "node:fs";
import { transform } from "esbuild";
import { defineConfig } from "vitest/config";
import { RetriesReporter } from "./test/support/retries-reporter.js";

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

const dist = new URL("./dist/", import.meta.url).pathname;

/** Unit tests run without a build, so what lies in `dist/` may be of any age. */
const refuseBuild = {
  name: "refuse-build",
  enforce: "pre" as const,
  load(id: string) {
    if (!id.startsWith(dist)) return;
    throw new Error(`A unit test imports ${id}: import the source, or rename the test to *.e2e.test.ts.`);
  },
};

const exports = JSON.parse(readFileSync(new URL("./package.json", import.meta.url), "utf8")).exports as Record<
  string,
  { default?: string }
>;

/** What `import … from "kagurazaka"` means: the built doors, or, with `toSource`, the sources they are built from. */
const doors = (toSource: boolean) =>
  [".", "./kit", "./data", "./testing"].map((door) => {
    const built = exports[door]!.default!;
    const file = toSource ? built.replace("./dist/", "./").replace(/\.js$/, ".ts") : built;
    return { find: new RegExp(`^kagurazaka${door.slice(1)}$`), replacement: new URL(file, import.meta.url).pathname };
  });

/** What the projects that run the built product have in common. */
const withBuild = {
  globalSetup: ["test/support/current-build.ts"],
  // The built product is run as Node runs it, not through the test compiler.
  server: { deps: { external: [/\/dist\//] } },
};

// The name of a test file decides its project. What starts a process is in test/faults or test/e2e, or is called
// *.e2e.test.ts; every other test is a unit test, and fails when it starts a process.
/** Tests of pure parts that share a process, file after file: starting one for each took longer than the tests. */
const sharingTests = "test/data/**/*.test.ts";
/** The one replaces a module of Node, which has to be done before anything loads it; the other measures memory. */
const aloneTests = ["test/data/loader/spool.test.ts", "test/data/loader/memory.test.ts"];
const faultTests = "test/faults/**/*.test.ts";
const processTests = ["test/e2e/**/*.test.ts", "test/**/*.e2e.test.ts"];

export default defineConfig({
  oxc: false,
  plugins: [lowerDecorators],
  test: {
    testTimeout: 60_000,
    hookTimeout: 60_000,
    pool: "forks",
    maxWorkers: 2,
    // A machine that others use too may be late; what was tried again is printed, with why.
    retry: process.env.CI ? 2 : 0,
    reporters: ["default", new RetriesReporter()],
    projects: [
      {
        extends: true,
        plugins: [refuseBuild],
        resolve: { alias: doors(true) },
        test: {
          name: "unit",
          include: ["test/!(data)/**/*.test.ts", "test/*.test.ts", ...aloneTests],
          exclude: [faultTests, ...processTests],
          setupFiles: ["test/support/no-processes.ts"],
        },
      },
      {
        extends: true,
        plugins: [refuseBuild],
        resolve: { alias: doors(true) },
        test: {
          name: "unit-data",
          isolate: false,
          include: [sharingTests],
          exclude: [...aloneTests, ...processTests],
          setupFiles: ["test/support/no-processes.ts"],
        },
      },
      {
        extends: true,
        resolve: { alias: doors(false) },
        test: { ...withBuild, name: "e2e", include: processTests, exclude: [faultTests] },
      },
      {
        extends: true,
        resolve: { alias: doors(false) },
        test: { ...withBuild, name: "faults", include: [faultTests] },
      },
    ],
  },
});
