// Prints the README's command marked `<!-- ci: NAME -->`: CI runs what readers are told to run.
import { readFileSync } from "node:fs";

const name = process.argv[2];
const readme = readFileSync(new URL("../README.md", import.meta.url), "utf8");
const found = new RegExp(`<!-- ci: ${name} -->\\s*\`\`\`\\w*\\n([\\s\\S]*?)\`\`\``).exec(readme);
if (!found) throw new Error(`README.md has no command marked <!-- ci: ${name} -->`);
process.stdout.write(found[1].trim());
