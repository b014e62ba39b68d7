/** From here on stacks show the lines of task files as their authors wrote them. Once per thread; costs nothing until a stack is read. */
export function enableSourceMaps(): void {
  process.setSourceMapsEnabled(true);
}
