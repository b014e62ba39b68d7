import { InputByLines, KagurazakaTask, moemoecueNormal, NoHardShard } from "kagurazaka";

/** The records that the input mode finds; for listing only. */
@moemoecueNormal({
  hardShardMode: NoHardShard({ inputPath: "." }),
  inputMode: InputByLines({ linesPath: "list.txt", as: "text", keyField: "line" }),
})
export class Listed extends KagurazakaTask {
  process() {}
}
