// Bounds of vici messages: what charon itself never exceeds, and more than any of its messages needs.

/** Octets of a packet; a larger frame is refused by its length field alone, as charon does. */
export const viciPacketLengthMax: number = 512 * 1024;

/** Sections within sections. charon's deepest messages have five. */
export const viciDepthMax = 32;
