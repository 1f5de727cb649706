// Capture files: reading pcap and pcapng, writing pcapng.
export { type CapturePacket, captureInterfacesMax, captureRecordLengthMax } from './capture-packet.ts';
export * from './capture-reader.ts';
export * from './capture-writer.ts';
export * from './link-type.ts';
