/** A word as a POSIX shell reads it back. */
export function quote(word: string): string {
  return /^[\w@%+=:,./-]+$/.test(word) ? word : `'${word.replaceAll("'", "'\\''")}'`;
}

/** More flags for a command: before its `--`, for what stands behind that is the task's. */
export function withFlags(argv: readonly string[], flags: readonly string[]): string[] {
  const end = argv.indexOf("--");
  return end < 0 ? [...argv, ...flags] : [...argv.slice(0, end), ...flags, ...argv.slice(end)];
}
