import { renderCommandHelp } from "../../config/help.js";
import { defineCommand } from "../command.js";
import { commands, namedCommand, unknownCommand } from "../command-table.js";
import { helpWidth } from "../help.js";
import { renderScreen } from "../screen.js";

export const help = defineCommand({
  name: "help",
  words: ["[COMMAND]", "[SUBCOMMAND]"],
  options: {},
  help: "Shows the page of a command, as COMMAND -h does.",
  firstWords: () => Object.keys(commands),
  async run({ words }) {
    process.stdout.write(words.length === 0 ? renderScreen() : await pageOf(words));
    return 0;
  },
});

async function pageOf(words: readonly string[]): Promise<string> {
  const name = words.join(" ");
  // `help ledger` means the command that begins so.
  const full = Object.keys(commands).find((one) => one === name || one.startsWith(`${name} `));
  const found = full === undefined ? undefined : await namedCommand(full.split(" "));
  if (!found) throw unknownCommand(name);
  return renderCommandHelp(found.command, helpWidth());
}
