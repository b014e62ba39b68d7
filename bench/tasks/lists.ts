import { InputByLines, KagurazakaTask, moemoecueNormal, NoHardShard } from "kagurazaka";

/** Whatever records the input mode finds; to be listed, not to be run. */
@moemoecueNormal({
  hardShardMode: NoHardShard({ inputPath: "." }),
  inputMode: InputByLines({ linesPath: "list.txt", as: "text", keyField: "line" }),
})
export class Listed extends KagurazakaTask {
  process() {}
}
