// Base64 without padding for the JSON Web Keys by which X25519 and X448 enter and leave OpenSSL fastest.

export function encodeBase64url(octets: Uint8Array): string {
  return btoa(String.fromCharCode(...octets))
    .replaceAll('+', '-')
    .replaceAll('/', '_')
    .replaceAll('=', '');
}

export function decodeBase64url(text: string): Uint8Array {
  const characters = atob(text.replaceAll('-', '+').replaceAll('_', '/'));
  const octets = new Uint8Array(characters.length);
  for (let at = 0; at < octets.length; at++) octets[at] = characters.charCodeAt(at);
  return octets;
}
