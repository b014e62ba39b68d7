/**
 * The readers and writers as the doors give them out: each is loaded when it is first used, because every worker imports a
 * door and few read a list.
 */
const lazily = <Args extends unknown[], T>(load: () => Promise<(...args: Args) => AsyncGenerator<T>>) =>
  async function* (...args: Args): AsyncGenerator<T> {
    yield* (await load())(...args);
  };

/** See `globFiles` in glob.ts. */
export const globFiles = lazily(async () => (await import("../files/glob.js")).globFiles);

/** @throws what `globFiles` would throw for this pattern */
export const checkFileGlob = async (pattern: string, hidden: boolean): Promise<void> =>
  void (await import("../globs/globs.js")).compileFileGlob(pattern, hidden);

/** See `readJsonl` in jsonl.ts. */
export const readJsonl = lazily(async () => (await import("./jsonl.js")).readJsonl);

/** See `readCsv` in csv.ts. */
export const readCsv = lazily(async () => (await import("./csv.js")).readCsv);

/** See `readLines` in lines.ts. */
export const readLines = lazily(async () => (await import("./lines.js")).readLines);

/** See `openJsonlWriter` in jsonl-writer.ts. */
export const openJsonlWriter: typeof import("./jsonl-writer.js").openJsonlWriter = async (path) =>
  (await import("./jsonl-writer.js")).openJsonlWriter(path);

/** See `writeJsonl` in jsonl-writer.ts. */
export const writeJsonl: typeof import("./jsonl-writer.js").writeJsonl = async (path, values) =>
  (await import("./jsonl-writer.js")).writeJsonl(path, values);
