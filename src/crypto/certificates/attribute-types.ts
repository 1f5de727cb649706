// The attribute types of distinguished names and the short names swanctl prints and reads.

/** Object identifier and short names; the first is printed, all are read (case does not matter). */
const ATTRIBUTE_TYPES: readonly (readonly [string, ...string[]])[] = [
  ['2.5.4.3', 'CN', 'commonName'],
  ['2.5.4.4', 'SN', 'S', 'surname'],
  ['2.5.4.5', 'serialNumber'],
  ['2.5.4.6', 'C', 'countryName'],
  ['2.5.4.7', 'L', 'localityName'],
  ['2.5.4.8', 'ST', 'stateOrProvinceName'],
  ['2.5.4.9', 'STREET', 'streetAddress'],
  ['2.5.4.10', 'O', 'organizationName'],
  ['2.5.4.11', 'OU', 'organizationalUnitName'],
  ['2.5.4.12', 'T', 'title'],
  ['2.5.4.13', 'D', 'description'],
  ['2.5.4.41', 'N', 'name'],
  ['2.5.4.42', 'G', 'GN', 'givenName'],
  ['2.5.4.43', 'I', 'initials'],
  ['2.5.4.46', 'dnQualifier'],
  ['2.5.4.54', 'dmdName'],
  ['2.5.4.65', 'pseudonym'],
  ['2.5.4.97', 'organizationIdentifier'],
  ['0.9.2342.19200300.100.1.1', 'UID'],
  ['0.9.2342.19200300.100.1.25', 'DC', 'domainComponent'],
  ['1.2.840.113549.1.9.1', 'E', 'Email', 'emailAddress'],
  ['1.2.840.113549.1.9.2', 'unstructuredName', 'UN'],
  ['1.2.840.113549.1.9.8', 'unstructuredAddress', 'UA'],
  ['2.16.840.1.113730.3.1.3', 'employeeNumber', 'EN'],
  ['0.2.262.1.10.7.20', 'ND'],
  ['1.3.6.1.4.1.1201.1.1.2.2.75', 'TCGID'],
];

export const EMAIL_ADDRESS = '1.2.840.113549.1.9.1';
export const UNSTRUCTURED_NAME = '1.2.840.113549.1.9.2';
export const DOMAIN_COMPONENT = '0.9.2342.19200300.100.1.25';

const nameByType: ReadonlyMap<string, string> = new Map(ATTRIBUTE_TYPES.map(([type, name]) => [type, name!]));
const typeByName: ReadonlyMap<string, string> = new Map(
  ATTRIBUTE_TYPES.flatMap(([type, ...names]) => names.map((name) => [name.toLowerCase(), type] as const)),
);

/** The short name, or the object identifier itself. */
export function attributeTypeName(type: string): string {
  return nameByType.get(type) ?? type;
}

/** The object identifier of a short name; a dotted object identifier stands for itself. */
export function attributeTypeFromName(name: string): string | undefined {
  return typeByName.get(name.toLowerCase()) ?? (/^\d+(\.\d+)+$/.test(name) ? name : undefined);
}
