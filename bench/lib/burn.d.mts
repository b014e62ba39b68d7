export function burn(rounds: number): Buffer;
export function burnMsOf(i: number): number;
export function calibrate(): number;
