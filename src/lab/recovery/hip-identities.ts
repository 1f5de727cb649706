// Host Identities of the lab: P-256, made once with OpenSSL, as PKCS #8. Everybody knows these keys.
import { hostIdentityOf, privateKeyFromPkcs8 } from '#crypto';
import type { LocalIdentity } from '#engine';

const keys = {
  a: '308187020100301306072a8648ce3d020106082a8648ce3d030107046d306b0201010420dfc29f69072e4a053a7dbf8d38c8584683c1b04bd2c53bd222f84278124e6ebca14403420004637b0169648fd288e951a1b0f779c79dd034553e4baddff37c299fc235f7672bb4f706778e71044c1a1afb302110daeb5a03cadd6543f868e3a85d3b68c4cd50',
  b: '308187020100301306072a8648ce3d020106082a8648ce3d030107046d306b02010104204d1031ca8cdaefc80f3fec1dbe6aa2f7c446a3385407efdc22b992c1fcf87c89a144034200045aca2adbe7646bcaa6229e6a6a9bc38b6268b000e290f15c9645bb8d5411ac356ec272f19b54d64f16c6ff6358eb711c7fc9138329150ce3a7997acd996ab6a3',
  c: '308187020100301306072a8648ce3d020106082a8648ce3d030107046d306b0201010420c89c366c2d4d618e3b071f19a237acfece8b3a7a2a9facc5afa79040e66aaa11a144034200049d0fa66ee6f58bae0c28b2e4e2b42c6e6aad56f44a62b0db7b7045910a38e75b8dd8acac4ee2f31c10592c61caa2fe97e8f4f2be9a95d352cf810268dea6fb52',
} as const;

function identityOf(host: keyof typeof keys): LocalIdentity {
  const octets = Uint8Array.from(keys[host].match(/../g) ?? [], (digits) => Number.parseInt(digits, 16));
  const key = privateKeyFromPkcs8(octets, 'hip');
  return { identity: hostIdentityOf(key.publicKey), key, anonymous: false };
}

export const hipIdentities: Readonly<Record<keyof typeof keys, LocalIdentity>> = {
  a: identityOf('a'),
  b: identityOf('b'),
  c: identityOf('c'),
};
