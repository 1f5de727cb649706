// Labels are words that we chose: what a stranger sends becomes one of them, or none.

const exchanges: ReadonlySet<string> = new Set([
  'IKE_SA_INIT',
  'IKE_AUTH',
  'CREATE_CHILD_SA',
  'INFORMATIONAL',
  'IKE_SESSION_RESUME',
  'IKE_INTERMEDIATE',
]);

export function knownWord(exchange: string): string {
  return exchanges.has(exchange) ? exchange : 'other';
}
