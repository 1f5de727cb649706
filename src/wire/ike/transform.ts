// Transform substructures and their attributes (RFC 7296 3.3.2, 3.3.5).
import type { Reader } from '../reader.ts';
import type { Writer } from '../writer.ts';
import { ikeLimits } from './limits.ts';
import type { TransformAttribute, WireTransform } from './payloads.ts';

const moreTransforms = 3;
const shortFormat = 0x8000;

function decodeAttribute(reader: Reader): TransformAttribute {
  const formatAndType = reader.u16('SA.attribute.type');
  const type = formatAndType & 0x7fff;
  if (formatAndType & shortFormat) return { type, value: reader.u16('SA.attribute.value') };
  const length = reader.u16('SA.attribute.length');
  return { type, value: reader.bytes(length, 'SA.attribute.value') };
}

/** Reads exactly `count` transforms; the last-substructure octets must agree with the count. */
export function decodeTransforms(reader: Reader, count: number): WireTransform[] {
  const transforms: WireTransform[] = [];
  for (let left = count; left > 0; left--) {
    const lastAt = reader.offset;
    const last = reader.u8('SA.transform.last');
    if (last !== (left === 1 ? 0 : moreTransforms)) {
      throw reader.failAt(
        lastAt,
        'value',
        'SA.transform.last',
        `${last} with ${left - 1} transforms to come`,
      );
    }
    reader.skip(1, 'SA.transform.reserved');
    const lengthAt = reader.offset;
    const length = reader.u16('SA.transform.length');
    if (length < 8) throw reader.failAt(lengthAt, 'length', 'SA.transform.length', `${length} octets`);
    const body = reader.sub(length - 4, 'SA.transform');
    const type = body.u8('SA.transform.type');
    body.skip(1, 'SA.transform.reserved');
    const id = body.u16('SA.transform.id');
    const attributes: TransformAttribute[] = [];
    while (body.remaining > 0) {
      if (attributes.length === ikeLimits.transformAttributes) throw body.fail('limit', 'SA.attribute');
      attributes.push(decodeAttribute(body));
    }
    transforms.push({ type, id, attributes });
  }
  return transforms;
}

export function encodeTransforms(writer: Writer, transforms: readonly WireTransform[]): void {
  transforms.forEach((transform, index) => {
    if (transform.attributes.length > ikeLimits.transformAttributes) {
      throw writer.fail('limit', 'SA.attribute');
    }
    const start = writer.length;
    writer.u8(index === transforms.length - 1 ? 0 : moreTransforms, 'SA.transform.last').zeros(1);
    writer.u16(0, 'SA.transform.length');
    writer.u8(transform.type, 'SA.transform.type').zeros(1);
    writer.u16(transform.id, 'SA.transform.id');
    for (const { type, value } of transform.attributes) {
      if (type > 0x7fff) throw writer.fail('value', 'SA.attribute.type');
      if (typeof value === 'number') {
        writer.u16(type + shortFormat, 'SA.attribute.type').u16(value, 'SA.attribute.value');
      } else {
        writer.u16(type, 'SA.attribute.type').u16(value.length, 'SA.attribute.length').bytes(value);
      }
    }
    writer.patchU16(start + 2, writer.length - start, 'SA.transform.length');
  });
}
