export function burn(rounds: number): number;
export function burnMsOf(i: number): number;
export function calibrate(): number;
