// Which certificates to send along with ours (RFC 7296 3.6): those between it and the authority the peer trusts.
import { equalOctets } from '../asn1/equal-octets.ts';
import type { Certificate } from './certificate.ts';

/**
 * The end entity, then the issuer of each before it as far as they are known. Self-signed roots are left out: a peer
 * has them or does not trust them. Goes by names and key identifiers alone; nothing is verified.
 */
export function orderChain(endEntity: Certificate, known: readonly Certificate[]): readonly Certificate[] {
  const chain = [endEntity];
  for (;;) {
    const last = chain.at(-1)!;
    const wanted = last.issuer.key;
    const issuers = known.filter(
      (candidate) =>
        candidate.subject.key === wanted &&
        candidate.issuer.key !== wanted &&
        !chain.some((member) => equalOctets(member.der, candidate.der)),
    );
    const issuer = issuers.find((candidate) => hasKeyOf(candidate, last)) ?? issuers[0];
    if (issuer === undefined) return chain;
    chain.push(issuer);
  }
}

function hasKeyOf(issuer: Certificate, certificate: Certificate): boolean {
  const { authorityKeyIdentifier: wanted } = certificate;
  const { subjectKeyIdentifier: found } = issuer;
  return wanted !== undefined && found !== undefined && equalOctets(wanted, found);
}
