/** What the plan asks of the ledger. */
export interface LedgerView {
  statusOf(key: string): { readonly status: "done" | "filtered" | "failed"; readonly epoch: number } | undefined;
  /** The epoch an item must have been done in; 0 when nothing was ever forced. */
  requiredEpoch(key: string): number;
}
