// ICMP for both IP versions.
export * from './icmpv4.ts';
export * from './icmpv6.ts';
export { type IcmpQuote, icmpv4QuoteLengthMax, icmpv6QuoteLengthMax } from './quote.ts';
