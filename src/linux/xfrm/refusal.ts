// Why a command of the engine is not carried out.
import type { SaResult } from '#sa';

export type Refusal = Extract<SaResult, { readonly ok: false }>;

export function refuse(code: Refusal['code'], detail: string): Refusal {
  return { ok: false, code, detail };
}
