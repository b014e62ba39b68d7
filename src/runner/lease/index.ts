// PLACEHOLDER while the lease room is being built; its author replaces this file.
export interface Lease extends AsyncDisposable { assertHeld(): void }
export async function openLease(_: {dir:string; scope: unknown; run: string; onWait?: (m: string)=>void}): Promise<Lease> { return { assertHeld() {}, async [Symbol.asyncDispose]() {} }; }
