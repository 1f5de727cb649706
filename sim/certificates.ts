// Certificates for the simulations that authenticate by public key, valid for a hundred years; made once with OpenSSL 3.0.
import { privateKeyFromPkcs8 } from '#crypto';
import type { LabCertificates } from '#lab';

function octets(base64: string): Uint8Array {
  return new Uint8Array(Buffer.from(base64, 'base64'));
}

/** "O=wayward lab, CN=lab CA", P-256, self-signed. */
const authority = octets(
  `
    MIIBtjCCAVugAwIBAgIUb2hWw76NPeRs2BQn8twlHrkovDEwCgYIKoZIzj0EAwIwJzEUMBIGA1UECgwLd2F5d2FyZCBsYWIxDzAN
    BgNVBAMMBmxhYiBDQTAgFw0yNjExMjUxNzM3NDBaGA8yMTI2MTEwMTE3Mzc0MFowJzEUMBIGA1UECgwLd2F5d2FyZCBsYWIxDzAN
    BgNVBAMMBmxhYiBDQTBZMBMGByqGSM49AgEGCCqGSM49AwEHA0IABGymQYk/6G0HxEtdwHsg+MnvmJehKTsf40MWTqEDsnirTCDQ
    oacyXbuOQtb1MxciQgAsGS/0/KnoiY/IaWo41OOjYzBhMB0GA1UdDgQWBBS8n2FyhvU9Wt4sBUGnug970Ei2qzAfBgNVHSMEGDAW
    gBS8n2FyhvU9Wt4sBUGnug970Ei2qzAPBgNVHRMBAf8EBTADAQH/MA4GA1UdDwEB/wQEAwIBBjAKBggqhkjOPQQDAgNJADBGAiEA
    uLYbPlsHSp+1LUAVaoH4XAcSNPzWN8rCuPjqweqHblUCIQDRA2szYd/yJuD08gsn4sIC3jOahDdUZaxu1J6VrUkmXw==
  `,
);

/** "O=wayward lab, CN=left.example.org" with that DNS name, Ed25519. */
const leftCertificate = octets(
  `
    MIIBpDCCAUqgAwIBAgIUbg/h26JZTFTVsAnCCX7K14k8XD8wCgYIKoZIzj0EAwIwJzEUMBIGA1UECgwLd2F5d2FyZCBsYWIxDzAN
    BgNVBAMMBmxhYiBDQTAgFw0yNjExMjUxNzM3NDBaGA8yMTI2MTEwMTE3Mzc0MFowMTEUMBIGA1UECgwLd2F5d2FyZCBsYWIxGTAX
    BgNVBAMMEGxlZnQuZXhhbXBsZS5vcmcwKjAFBgMrZXADIQDsZlU4MJlMAlfBDsKiLTSvKasmswyKkiHxUolmNhxakqN3MHUwCQYD
    VR0TBAIwADALBgNVHQ8EBAMCB4AwGwYDVR0RBBQwEoIQbGVmdC5leGFtcGxlLm9yZzAdBgNVHQ4EFgQU6pQpmKoauTI3HBg9AKWf
    QGD1EjYwHwYDVR0jBBgwFoAUvJ9hcob1PVreLAVBp7oPe9BItqswCgYIKoZIzj0EAwIDSAAwRQIgCtoYr9W1rz35aZcDuZmW356w
    g/vrJBTIxafdpgNa5ZYCIQCMFBdY3iAtwsY/0C3m0dTwoyD58gPAKZKywKip7Vvetw==
  `,
);

/** PKCS#8 of `leftCertificate`. */
const leftKey = octets(
  `
    MC4CAQAwBQYDK2VwBCIEIDdV6epbNgNvgj+dkgeCeRK12KFCxxZmCJDMTgJAeZhj
  `,
);

/** "O=wayward lab, CN=right.example.org" with that DNS name, Ed25519. */
const rightCertificate = octets(
  `
    MIIBpTCCAUygAwIBAgIUbg/h26JZTFTVsAnCCX7K14k8XEAwCgYIKoZIzj0EAwIwJzEUMBIGA1UECgwLd2F5d2FyZCBsYWIxDzAN
    BgNVBAMMBmxhYiBDQTAgFw0yNjExMjUxNzM3NDFaGA8yMTI2MTEwMTE3Mzc0MVowMjEUMBIGA1UECgwLd2F5d2FyZCBsYWIxGjAY
    BgNVBAMMEXJpZ2h0LmV4YW1wbGUub3JnMCowBQYDK2VwAyEAWVvg60PJIWFswC4jOpPfYSfa6DP+QiU408N2EHC96/CjeDB2MAkG
    A1UdEwQCMAAwCwYDVR0PBAQDAgeAMBwGA1UdEQQVMBOCEXJpZ2h0LmV4YW1wbGUub3JnMB0GA1UdDgQWBBTkMbMKc9bYKeA7rJAF
    J9T9pzuYlTAfBgNVHSMEGDAWgBS8n2FyhvU9Wt4sBUGnug970Ei2qzAKBggqhkjOPQQDAgNHADBEAiB7FwNT/On+mTeTRSeCbsYK
    pPZDNlosZBkDo5YV87b6zgIgcxKoKfRafSSRzhmNwuLw8NrlHTfiizgjozs+Z5kyu+Y=
  `,
);

/** PKCS#8 of `rightCertificate`. */
const rightKey = octets(
  `
    MC4CAQAwBQYDK2VwBCIEIE3hq7F9LfVGwBf5Zz5WR97m9l6GMEexmCunhTeAPfQx
  `,
);

export const labCertificates: LabCertificates = {
  authority,
  left: { privateKeys: [privateKeyFromPkcs8(leftKey)], certificates: [leftCertificate] },
  right: { privateKeys: [privateKeyFromPkcs8(rightKey)], certificates: [rightCertificate] },
};
