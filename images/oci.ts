// Puts layers and settings together into an OCI image archive, which every container engine can load.

import { createHash } from 'node:crypto'
import { existsSync, readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { gzipSync } from 'node:zlib'
import { type TarEntry, writeTar } from './tar.ts'

/** A layer as it stands in an image. */
export interface Layer {
  readonly digest: string
  /** Digest of the archive before compression. */
  readonly diffId: string
  readonly bytes: Buffer
  /** What it holds, for the image's history. */
  readonly title: string
}

export interface ImageSettings {
  readonly architecture: 'amd64' | 'arm64'
  readonly user: string
  readonly workingDirectory: string
  readonly env: Readonly<Record<string, string>>
  readonly entrypoint: readonly string[]
  readonly command: readonly string[]
  readonly labels: Readonly<Record<string, string>>
}

export interface Image {
  /** Digest of the manifest: the image's name for good. */
  readonly digest: string
  readonly bytes: number
  /** The archive, to be loaded under all names that it was given. */
  archive(names: readonly string[]): Buffer
}

const types = {
  index: 'application/vnd.oci.image.index.v1+json',
  manifest: 'application/vnd.oci.image.manifest.v1+json',
  config: 'application/vnd.oci.image.config.v1+json',
  layer: 'application/vnd.oci.image.layer.v1.tar+gzip',
}

/** Level 6: level 9 takes three times as long for 1 % less. */
const compression = { level: 6 }

/** @param cache folder with layers compressed earlier: Node's takes seconds */
export function createLayer(title: string, entries: readonly TarEntry[], cache: string | null = null): Layer {
  const tar = writeTar(entries)
  const diffId = digestOf(tar)
  const file =
    cache === null ? null : join(cache, `${diffId.replace(':', '-')}-zlib-${process.versions.zlib}.gz`)
  const bytes = file !== null && existsSync(file) ? readFileSync(file) : compress(tar)
  if (file !== null) writeFileSync(file, bytes)
  return { digest: digestOf(bytes), diffId, bytes, title }
}

function compress(tar: Buffer): Buffer {
  const bytes = gzipSync(tar, compression)
  // Byte 9 of a gzip header names the operating system that wrote it.
  bytes[9] = 255
  return bytes
}

export function createImage(layers: readonly Layer[], settings: ImageSettings): Image {
  const config = json({
    architecture: settings.architecture,
    os: 'linux',
    config: {
      User: settings.user,
      WorkingDir: settings.workingDirectory,
      Env: Object.entries(settings.env).map(([name, value]) => `${name}=${value}`),
      Entrypoint: settings.entrypoint,
      Cmd: settings.command,
      Labels: settings.labels,
    },
    rootfs: { type: 'layers', diff_ids: layers.map(({ diffId }) => diffId) },
    history: layers.map(({ title }) => ({ created: '1970-01-01T00:00:01Z', created_by: title })),
  })
  const manifest = json({
    schemaVersion: 2,
    mediaType: types.manifest,
    config: { mediaType: types.config, digest: digestOf(config), size: config.length },
    layers: layers.map(({ digest, bytes }) => ({ mediaType: types.layer, digest, size: bytes.length })),
  })
  const digest = digestOf(manifest)
  const blobs = [manifest, config, ...layers.map(({ bytes }) => bytes)]
  return {
    digest,
    bytes: blobs.reduce((sum, blob) => sum + blob.length, 0),
    archive(names) {
      const index = json({
        schemaVersion: 2,
        mediaType: types.index,
        manifests: names.map((name) => ({
          mediaType: types.manifest,
          digest,
          size: manifest.length,
          // containerd takes the first, others the second, whose value may be a whole name too.
          annotations: {
            'io.containerd.image.name': fullName(name),
            'org.opencontainers.image.ref.name': fullName(name),
          },
          platform: { architecture: settings.architecture, os: 'linux' },
        })),
      })
      return writeTar([
        { kind: 'file', path: 'oci-layout', mode: 0o644, data: json({ imageLayoutVersion: '1.0.0' }) },
        { kind: 'file', path: 'index.json', mode: 0o644, data: index },
        { kind: 'folder', path: 'blobs', mode: 0o755 },
        { kind: 'folder', path: 'blobs/sha256', mode: 0o755 },
        ...blobs
          .map((data) => ({ path: `blobs/${digestOf(data).replace(':', '/')}`, data }))
          .sort((a, b) => (a.path < b.path ? -1 : 1))
          .map(({ path, data }): TarEntry => ({ kind: 'file', path, mode: 0o644, data })),
      ])
    },
  }
}

/** A short name as engines complete it: `a/b:1` is `docker.io/a/b:1`. */
export function fullName(name: string): string {
  const [first = ''] = name.split('/')
  if (name.includes('/') && (first.includes('.') || first.includes(':') || first === 'localhost')) return name
  return `docker.io/${name.includes('/') ? '' : 'library/'}${name}`
}

function json(value: unknown): Buffer {
  return Buffer.from(JSON.stringify(value))
}

function digestOf(bytes: Uint8Array): string {
  return `sha256:${createHash('sha256').update(bytes).digest('hex')}`
}
