import type { FleetBackbone } from "../../contracts/backbone.js";
import type { Execution } from "../../contracts/execution.js";
import type { ExecutionRequest } from "./local-execution.js";

export async function openFleetExecution(
  _request: ExecutionRequest,
  _backbone: FleetBackbone,
): Promise<{ execution: Execution }> {
  throw new Error("not yet");
}
