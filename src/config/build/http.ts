// `wayward.http`: where the page, its API and the metrics are served. Never on an address that others can reach.
import type { Findings } from '../error.ts';
import type { Settings } from '../options/check.ts';

/** A path, or a loopback address and a port (0: any that is free). */
export type HttpListen =
  | { readonly kind: 'path'; readonly path: string }
  | { readonly kind: 'loopback'; readonly address: '127.0.0.1' | '::1'; readonly port: number };

const addresses: Readonly<Record<string, '127.0.0.1' | '::1'>> = {
  '': '127.0.0.1',
  '127.0.0.1': '127.0.0.1',
  localhost: '127.0.0.1',
  '[::1]': '::1',
};

export function buildHttp(settings: Settings, findings: Findings): HttpListen | undefined {
  const text = settings.value('http', 'text');
  if (text === undefined) return undefined;
  if (text.startsWith('/')) return { kind: 'path', path: text };
  const [, host = '', digits] = /^(?:(.*):)?(\d{1,5})$/.exec(text) ?? [];
  const address = addresses[host];
  const port = Number(digits);
  if (digits === undefined || port > 65_535) {
    findings.error(
      'bad-value',
      settings.position('http'),
      'http is a port, an address and a port, or a path',
    );
    return undefined;
  }
  if (address === undefined) {
    const why = `http is served on 127.0.0.1, [::1] or a Unix socket, not on ${host}: let a tunnel or a proxy lead there`;
    findings.error('bad-value', settings.position('http'), why);
    return undefined;
  }
  return { kind: 'loopback', address, port };
}
