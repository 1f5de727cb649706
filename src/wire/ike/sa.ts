// Security Association payload: proposals of transforms (RFC 7296 3.3).
import type { Reader } from '../reader.ts';
import type { Writer } from '../writer.ts';
import { ikeLimits } from './limits.ts';
import type { SaPayload, WireProposal } from './payloads.ts';
import { ProtocolId } from './payloads.ts';
import { decodeTransforms, encodeTransforms } from './transform.ts';

const moreProposals = 2;

/** RFC 7296 3.3.1: which SPI sizes a protocol has; an unknown protocol may have any. */
function spiSizeFits(protocolId: number, size: number): boolean {
  if (protocolId === ProtocolId.IKE) return size === 0 || size === 8;
  if (protocolId === ProtocolId.AH || protocolId === ProtocolId.ESP) return size === 4;
  return true;
}

export function decodeSa(reader: Reader): SaPayload {
  const proposals: WireProposal[] = [];
  let transformsInAll = 0;
  for (let more = true; more; ) {
    if (proposals.length === ikeLimits.proposals) throw reader.fail('limit', 'SA.proposal');
    const lastAt = reader.offset;
    const last = reader.u8('SA.proposal.last');
    if (last !== 0 && last !== moreProposals) {
      throw reader.failAt(lastAt, 'value', 'SA.proposal.last', String(last));
    }
    more = last === moreProposals;
    reader.skip(1, 'SA.proposal.reserved');
    const lengthAt = reader.offset;
    const length = reader.u16('SA.proposal.length');
    if (length < 8) throw reader.failAt(lengthAt, 'length', 'SA.proposal.length', `${length} octets`);
    const body = reader.sub(length - 4, 'SA.proposal');
    const number = body.u8('SA.proposal.number');
    const protocolId = body.u8('SA.proposal.protocol');
    const spiSizeAt = body.offset;
    const spiSize = body.u8('SA.proposal.SPI size');
    if (!spiSizeFits(protocolId, spiSize)) {
      throw body.failAt(spiSizeAt, 'value', 'SA.proposal.SPI size', `${spiSize} for protocol ${protocolId}`);
    }
    const countAt = body.offset;
    const transformCount = body.u8('SA.proposal.transform count');
    transformsInAll += transformCount;
    if (transformsInAll > ikeLimits.transformsInAll) {
      throw body.failAt(countAt, 'limit', 'SA.proposal.transform count');
    }
    const spi = body.bytes(spiSize, 'SA.proposal.SPI');
    const transforms = decodeTransforms(body, transformCount);
    body.end('SA.proposal');
    proposals.push({ number, protocolId, spi, transforms });
  }
  return { type: 'SA', proposals };
}

export function encodeSa(writer: Writer, payload: SaPayload): void {
  const { proposals } = payload;
  // The last-substructure octet cannot express an empty list.
  if (proposals.length === 0) throw writer.fail('value', 'SA.proposal', 'no proposal');
  if (proposals.length > ikeLimits.proposals) throw writer.fail('limit', 'SA.proposal');
  const transformsInAll = proposals.reduce((sum, { transforms }) => sum + transforms.length, 0);
  if (transformsInAll > ikeLimits.transformsInAll) {
    throw writer.fail('limit', 'SA.proposal.transform count');
  }
  proposals.forEach((proposal, index) => {
    if (!spiSizeFits(proposal.protocolId, proposal.spi.length)) {
      throw writer.fail('value', 'SA.proposal.SPI size', `${proposal.spi.length}`);
    }
    const start = writer.length;
    writer.u8(index === proposals.length - 1 ? 0 : moreProposals, 'SA.proposal.last').zeros(1);
    writer.u16(0, 'SA.proposal.length');
    writer.u8(proposal.number, 'SA.proposal.number').u8(proposal.protocolId, 'SA.proposal.protocol');
    writer.u8(proposal.spi.length, 'SA.proposal.SPI size');
    writer.u8(proposal.transforms.length, 'SA.proposal.transform count');
    writer.bytes(proposal.spi);
    encodeTransforms(writer, proposal.transforms);
    writer.patchU16(start + 2, writer.length - start, 'SA.proposal.length');
  });
}
