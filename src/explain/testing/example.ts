// What the captures of these tests have in common: SPIs, keys that open them, and notifies without data.
import { type IkeSpi, notify, type Payload } from '#wire';
import { type KeyFile, parseKeyFile } from '../keys/key-file.ts';
import { ikeKeyHex, spis } from './capture-builder.ts';

export const newSpis = {
  initiatorSpi: '3333333333333333' as IkeSpi,
  responderSpi: '4444444444444444' as IkeSpi,
};
export const ikeKeys: KeyFile = parseKeyFile(
  `ikev2_decryption_table ${spis.initiatorSpi},${spis.responderSpi},${ikeKeyHex},${ikeKeyHex},` +
    `"AES-GCM-128 with 16 octet ICV [RFC5282]",,,"NONE [RFC4306]"`,
);
export const toLeft = 0xc0ffee01;
export const toRight = 0xc0ffee02;
export const silent = (type: number): Payload[] => [notify(type)];
