// For tests only: an authority and certificates of it, made on the spot.

import { generateKeyPairSync, type KeyObject, randomBytes, sign } from 'node:crypto'

export interface Certificate {
  readonly cert: string
  readonly key: string
}

export interface Authority extends Certificate {
  /** A certificate for DNS `name` and 127.0.0.1. */
  issue(name: string): Certificate
}

export function createAuthority(name: string): Authority {
  const own = generateKeyPairSync('ec', { namedCurve: 'P-256' })
  const constraints = extension('551d13', true, sequence(Buffer.from('0101ff', 'hex')))
  return {
    cert: certificate(name, name, own.publicKey, own.privateKey, constraints),
    key: pem(own.privateKey),
    issue(subject) {
      const { publicKey, privateKey } = generateKeyPairSync('ec', { namedCurve: 'P-256' })
      const names = sequence(tag(0x82, Buffer.from(subject)), tag(0x87, Buffer.from([127, 0, 0, 1])))
      const alternatives = extension('551d11', false, names)
      return {
        cert: certificate(subject, name, publicKey, own.privateKey, alternatives),
        key: pem(privateKey),
      }
    },
  }
}

function certificate(
  subject: string,
  issuer: string,
  key: KeyObject,
  signer: KeyObject,
  more: Buffer,
): string {
  // ecdsa-with-SHA256
  const algorithm = sequence(identifier('2a8648ce3d040302'))
  const body = sequence(
    tag(0xa0, tag(0x02, Buffer.from([2]))),
    tag(0x02, Buffer.concat([Buffer.from([1]), randomBytes(8)])),
    algorithm,
    nameOf(issuer),
    sequence(time(Date.now() - 3_600_000), time(Date.now() + 86_400_000)),
    nameOf(subject),
    key.export({ type: 'spki', format: 'der' }),
    tag(0xa3, sequence(more)),
  )
  const signature = tag(0x03, Buffer.concat([Buffer.from([0]), sign('sha256', body, signer)]))
  const base64 = sequence(body, algorithm, signature).toString('base64').replace(/.{64}/g, '$&\n')
  return `-----BEGIN CERTIFICATE-----\n${base64}\n-----END CERTIFICATE-----\n`
}

function extension(id: string, critical: boolean, value: Buffer): Buffer {
  return sequence(identifier(id), critical ? Buffer.from('0101ff', 'hex') : Buffer.alloc(0), tag(0x04, value))
}

function nameOf(text: string): Buffer {
  return sequence(tag(0x31, sequence(identifier('550403'), tag(0x0c, Buffer.from(text)))))
}

function time(ms: number): Buffer {
  const text = new Date(ms).toISOString().replace(/[-:T]|\.\d+/g, '')
  return tag(0x17, Buffer.from(text.slice(2)))
}

function identifier(hex: string): Buffer {
  return tag(0x06, Buffer.from(hex, 'hex'))
}

function sequence(...parts: Buffer[]): Buffer {
  return tag(0x30, Buffer.concat(parts))
}

function tag(number: number, value: Buffer): Buffer {
  const { length } = value
  const head = length < 128 ? [length] : length < 256 ? [0x81, length] : [0x82, length >> 8, length & 255]
  return Buffer.concat([Buffer.from([number, ...head]), value])
}

function pem(key: KeyObject): string {
  return key.export({ type: 'pkcs8', format: 'pem' }).toString()
}
