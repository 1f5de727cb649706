// Captures as anybody may hand them to `wayward explain`, with keys that fit some, and files of keys.
import { Explainer, parseKeyFile, storyHtml, storyJsonLines, storyText } from '#explain';
import { WireError } from '#wire';
import type { FuzzTarget } from './target.ts';

/** Those of the corpus: `src/explain/testing/capture-builder.ts` seals with them. */
const keys = parseKeyFile(
  [
    'ikev2_decryption_table 1111111111111111,2222222222222222,000102030405060708090a0b0c0d0e0f10111213,' +
      '000102030405060708090a0b0c0d0e0f10111213,"AES-GCM-128 with 16 octet ICV [RFC5282]",,,"NONE [RFC4306]"',
    'esp_sa "IPv4","*","*","0xc0ffee02","AES-GCM with 16 octet ICV [RFC4106]",' +
      '"0x000102030405060708090a0b0c0d0e0f10111213","NULL",""',
  ].join('\n'),
);

const chunkBytes = 700;
const columns = 80;

export const explainTargets: readonly FuzzTarget[] = [
  {
    name: 'explain-capture',
    run(octets) {
      const explainer = new Explainer({ keys });
      for (let at = 0; at < octets.length; at += chunkBytes) {
        explainer.push(octets.subarray(at, at + chunkBytes));
      }
      const story = explainer.finish();
      const text = storyText(story, 'capture', columns).join('\n');
      if (/[^\n\P{Cc}]|\p{Cf}/u.test(text)) throw new Error('a capture reaches the terminal');
      if (/<script|<img/.test(storyHtml(story, 'capture'))) throw new Error('a capture becomes a tag');
      for (const line of storyJsonLines(story)) JSON.parse(line);
      const findings = [...story.findings, ...story.peers.flatMap((peer) => peer.findings)];
      return [...new Set(findings.map(({ code }) => code))].toSorted().join(' ');
    },
    refuses: (error) => error instanceof WireError,
  },
  {
    name: 'explain-keys',
    run(octets) {
      const { ike, esp, problems } = parseKeyFile(new TextDecoder().decode(octets));
      return `${Math.min(ike.length, 3)} ${Math.min(esp.length, 3)} ${problems.map(({ problem }) => problem).join()}`;
    },
    refuses: () => false,
    words: [
      'ikev2_decryption_table ',
      'esp_sa ',
      '"IPv4",',
      '"NULL"',
      ',',
      '"',
      '0x',
      '\n',
      'uat:esp_sa:',
      '*',
    ],
  },
];
