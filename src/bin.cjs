#!/usr/bin/env node
// CommonJS, because the size of the I/O thread pool is fixed by whatever uses it first, and loading an ES module does.
// All workers of a process share that pool: with the default of four, eight workers that read files wait for one another.
if (!process.env.UV_THREADPOOL_SIZE) {
  const at = process.argv.findIndex((word) => /^--num[-_]?process(=|$)/i.test(word));
  const given = at < 0 ? "" : process.argv[at].includes("=") ? process.argv[at].split("=")[1] : process.argv[at + 1];
  const workers = /^\d+$/.test(given || "") ? Number(given) : require("node:os").availableParallelism();
  const size = String(Math.min(1024, Math.max(4, 2 * workers)));
  // Our own, and not the user's: programs that items start do not get it.
  process.env.UV_THREADPOOL_SIZE = process.env.KAGURAZAKA_THREADPOOL_SIZE = size;
}
// Compiled code of this tool is kept between runs where Node can (22.1 and later).
require("node:module").enableCompileCache?.();
import("../dist/src/cli/main.js").then(
  ({ main }) => main(process.argv.slice(2)),
  ({ code, message }) => {
    // Nothing of ours can be loaded, as where no more files can be opened.
    process.stderr.write(
      `error [${code === "EMFILE" ? "environment" : "internal"}] kagurazaka cannot be loaded: ${message}\n`,
    );
    process.exitCode = code === "EMFILE" ? 7 : 1;
  },
);
