// One line per message, in the words that readers of strongSwan's logs know.
import { EapCode, EapType } from '../eap/index.ts';
import { cfgAttributeName, exchangeTypeName } from './names.ts';
import type { CpPayload, EapPayload, IkeMessage, Payload } from './payloads.ts';
import { CfgAttribute, NotifyType } from './payloads.ts';

const notifyWords: Readonly<Record<number, string>> = {
  [NotifyType.UNSUPPORTED_CRITICAL_PAYLOAD]: 'CRIT',
  [NotifyType.INVALID_IKE_SPI]: 'INVAL_IKE_SPI',
  [NotifyType.INVALID_MAJOR_VERSION]: 'INVAL_MAJOR',
  [NotifyType.INVALID_SYNTAX]: 'INVAL_SYN',
  [NotifyType.INVALID_MESSAGE_ID]: 'INVAL_MID',
  [NotifyType.INVALID_SPI]: 'INVAL_SPI',
  [NotifyType.NO_PROPOSAL_CHOSEN]: 'NO_PROP',
  [NotifyType.INVALID_KE_PAYLOAD]: 'INVAL_KE',
  [NotifyType.AUTHENTICATION_FAILED]: 'AUTH_FAILED',
  [NotifyType.SINGLE_PAIR_REQUIRED]: 'SINGLE_PAIR',
  [NotifyType.NO_ADDITIONAL_SAS]: 'NO_ADD_SAS',
  [NotifyType.INTERNAL_ADDRESS_FAILURE]: 'INT_ADDR_FAIL',
  [NotifyType.FAILED_CP_REQUIRED]: 'FAIL_CP_REQ',
  [NotifyType.TS_UNACCEPTABLE]: 'TS_UNACCEPT',
  [NotifyType.INVALID_SELECTORS]: 'INVAL_SEL',
  [NotifyType.UNACCEPTABLE_ADDRESSES]: 'UNACCEPT_ADDR',
  [NotifyType.UNEXPECTED_NAT_DETECTED]: 'UNEXPECT_NAT',
  [NotifyType.TEMPORARY_FAILURE]: 'TEMP_FAIL',
  [NotifyType.CHILD_SA_NOT_FOUND]: 'NO_CHILD_SA',
  [NotifyType.INITIAL_CONTACT]: 'INIT_CONTACT',
  [NotifyType.SET_WINDOW_SIZE]: 'SET_WINSIZE',
  [NotifyType.ADDITIONAL_TS_POSSIBLE]: 'ADD_TS_POSS',
  [NotifyType.IPCOMP_SUPPORTED]: 'IPCOMP_SUP',
  [NotifyType.NAT_DETECTION_SOURCE_IP]: 'NATD_S_IP',
  [NotifyType.NAT_DETECTION_DESTINATION_IP]: 'NATD_D_IP',
  [NotifyType.COOKIE]: 'COOKIE',
  [NotifyType.USE_TRANSPORT_MODE]: 'USE_TRANSP',
  [NotifyType.HTTP_CERT_LOOKUP_SUPPORTED]: 'HTTP_CERT_LOOK',
  [NotifyType.REKEY_SA]: 'REKEY_SA',
  [NotifyType.ESP_TFC_PADDING_NOT_SUPPORTED]: 'ESP_TFC_PAD_N',
  [NotifyType.NON_FIRST_FRAGMENTS_ALSO]: 'NON_FIRST_FRAG',
  [NotifyType.MOBIKE_SUPPORTED]: 'MOBIKE_SUP',
  [NotifyType.ADDITIONAL_IP4_ADDRESS]: 'ADD_4_ADDR',
  [NotifyType.ADDITIONAL_IP6_ADDRESS]: 'ADD_6_ADDR',
  [NotifyType.NO_ADDITIONAL_ADDRESSES]: 'NO_ADD_ADDR',
  [NotifyType.UPDATE_SA_ADDRESSES]: 'UPD_SA_ADDR',
  [NotifyType.COOKIE2]: 'COOKIE2',
  [NotifyType.NO_NATS_ALLOWED]: 'NO_NATS',
  [NotifyType.AUTH_LIFETIME]: 'AUTH_LFT',
  [NotifyType.MULTIPLE_AUTH_SUPPORTED]: 'MULT_AUTH',
  [NotifyType.ANOTHER_AUTH_FOLLOWS]: 'AUTH_FOLLOWS',
  [NotifyType.REDIRECT_SUPPORTED]: 'REDIR_SUP',
  [NotifyType.REDIRECT]: 'REDIR',
  [NotifyType.REDIRECTED_FROM]: 'REDIR_FROM',
  [NotifyType.TICKET_LT_OPAQUE]: 'TKT_LT_OPAK',
  [NotifyType.TICKET_REQUEST]: 'TKT_REQ',
  [NotifyType.TICKET_ACK]: 'TKT_ACK',
  [NotifyType.TICKET_NACK]: 'TKT_NACK',
  [NotifyType.TICKET_OPAQUE]: 'TKT_OPAK',
  [NotifyType.USE_WESP_MODE]: 'WESP_MODE',
  [NotifyType.ROHC_SUPPORTED]: 'ROHC_SUP',
  [NotifyType.EAP_ONLY_AUTHENTICATION]: 'EAP_ONLY',
  [NotifyType.CHILDLESS_IKEV2_SUPPORTED]: 'CHDLESS_SUP',
  [NotifyType.QUICK_CRASH_DETECTION]: 'CRASH_DET',
  [NotifyType.IKEV2_MESSAGE_ID_SYNC_SUPPORTED]: 'MSG_ID_SYN_SUP',
  [NotifyType.IPSEC_REPLAY_COUNTER_SYNC_SUPPORTED]: 'RPL_CTR_SYN_SUP',
  [NotifyType.IKEV2_MESSAGE_ID_SYNC]: 'MSG_ID_SYN',
  [NotifyType.IPSEC_REPLAY_COUNTER_SYNC]: 'RPL_CTR_SYN',
  [NotifyType.IKEV2_FRAGMENTATION_SUPPORTED]: 'FRAG_SUP',
  [NotifyType.SIGNATURE_HASH_ALGORITHMS]: 'HASH_ALG',
  [NotifyType.USE_PPK]: 'USE_PPK',
  [NotifyType.PPK_IDENTITY]: 'PPK_ID',
  [NotifyType.NO_PPK_AUTH]: 'NO_PPK',
  [NotifyType.INTERMEDIATE_EXCHANGE_SUPPORTED]: 'INTERMEDIATE_SUP',
};

const configurationWords: readonly (string | undefined)[] = [undefined, 'RQ', 'RP', 'ST', 'AK'];

const attributeWords: Readonly<Record<number, string>> = {
  [CfgAttribute.INTERNAL_IP4_ADDRESS]: 'ADDR',
  [CfgAttribute.INTERNAL_IP4_NETMASK]: 'MASK',
  [CfgAttribute.INTERNAL_IP4_DNS]: 'DNS',
  [CfgAttribute.INTERNAL_IP4_NBNS]: 'NBNS',
  [CfgAttribute.INTERNAL_IP4_DHCP]: 'DHCP',
  [CfgAttribute.APPLICATION_VERSION]: 'VER',
  [CfgAttribute.INTERNAL_IP6_ADDRESS]: 'ADDR6',
  [CfgAttribute.INTERNAL_IP6_DNS]: 'DNS6',
  [CfgAttribute.INTERNAL_IP6_DHCP]: 'DHCP6',
  [CfgAttribute.INTERNAL_IP4_SUBNET]: 'SUBNET',
  [CfgAttribute.SUPPORTED_ATTRIBUTES]: 'SUP',
  [CfgAttribute.INTERNAL_IP6_SUBNET]: 'SUBNET6',
};

function configurationSummary(payload: CpPayload): string {
  const kind = configurationWords[payload.cfgType] ?? `/${payload.cfgType}`;
  const attributes = payload.attributes.map(({ type }) => attributeWords[type] ?? cfgAttributeName(type));
  return attributes.length === 0 ? `CP${kind}` : `CP${kind}(${attributes.join(' ')})`;
}

const eapWords: Readonly<Record<number, string>> = {
  [EapCode.REQUEST]: 'REQ',
  [EapCode.RESPONSE]: 'RES',
  [EapCode.SUCCESS]: 'SUCC',
  [EapCode.FAILURE]: 'FAIL',
};

const eapTypeWords: Readonly<Record<number, string>> = {
  [EapType.IDENTITY]: 'ID',
  [EapType.NOTIFICATION]: 'NOTIFICATION',
  [EapType.NAK]: 'NAK',
  [EapType.MD5_CHALLENGE]: 'MD5',
  [EapType.OTP]: 'OTP',
  [EapType.GTC]: 'GTC',
  [EapType.TLS]: 'TLS',
  [EapType.SIM]: 'SIM',
  [EapType.TTLS]: 'TTLS',
  [EapType.AKA]: 'AKA',
  [EapType.PEAP]: 'PEAP',
  [EapType.MSCHAPV2]: 'MSCHAPV2',
};

/** By its first octets, whatever follows: a summary refuses nothing. */
function eapSummary({ message }: EapPayload): string {
  const [code = 0, , , , type] = message;
  const kind = eapWords[code] ?? code;
  const typed = code === EapCode.REQUEST || code === EapCode.RESPONSE;
  return typed && type !== undefined ? `EAP/${kind}/${eapTypeWords[type] ?? type}` : `EAP/${kind}`;
}

/** `SA`, `No`, `N(NATD_S_IP)`, `CPRQ(ADDR DNS)`, `SKF(2/3)`, `EAP/REQ/ID`, `PAYLOAD(99)`. */
export function payloadSummary(payload: Payload): string {
  switch (payload.type) {
    case 'Nonce':
      return 'No';
    case 'N':
      return `N(${notifyWords[payload.notifyType] ?? payload.notifyType})`;
    case 'CP':
      return configurationSummary(payload);
    case 'EAP':
      return eapSummary(payload);
    case 'SKF':
      return `SKF(${payload.fragmentNumber}/${payload.totalFragments})`;
    case 'unknown':
      return `PAYLOAD(${payload.payloadType})`;
    default:
      return payload.type;
  }
}

/** `IKE_SA_INIT request 0 [ SA KE No N(NATD_S_IP) ]`; pass the inner payloads for a decrypted message. */
export function ikeMessageSummary(message: Pick<IkeMessage, 'header' | 'payloads'>): string {
  const { exchangeType, response, messageId } = message.header;
  const words = message.payloads.map((payload) => `${payloadSummary(payload)} `).join('');
  const direction = response ? 'response' : 'request';
  return `${exchangeTypeName(exchangeType)} ${direction} ${messageId} [ ${words}]`;
}
