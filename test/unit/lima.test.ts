// The scripts of lima/, with stand-ins for uname, sw_vers, limactl and QEMU on their PATH.

import { spawnSync } from 'node:child_process'
import { chmodSync, mkdirSync, mkdtempSync, readFileSync, rmSync, symlinkSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import t from 'tap'

const lima = join(import.meta.dirname, '../../lima')
/** What the scripts use of the system as it is. */
const tools = ['bash', 'env', 'awk', 'sed', 'grep', 'tr', 'dirname', 'cat']

/** A PATH with those and the stand-ins: a name and the lines of sh behind it. */
function pathOf(folder: string, programs: Readonly<Record<string, string>>): string {
  const bin = mkdtempSync(join(folder, 'bin-'))
  for (const tool of tools) {
    const found = spawnSync('sh', ['-c', `command -v ${tool}`], { encoding: 'utf8' }).stdout.trim()
    symlinkSync(found, join(bin, tool))
  }
  for (const [name, lines] of Object.entries(programs)) {
    writeFileSync(join(bin, name), `#!/bin/sh\n${lines}\n`)
    chmodSync(join(bin, name), 0o755)
  }
  return bin
}

function run(
  script: string,
  path: string,
  env: Record<string, string> = {},
): { readonly status: number | null; readonly stdout: string; readonly stderr: string } {
  return spawnSync(join(lima, script), [], { env: { PATH: path, ...env }, encoding: 'utf8' })
}

const folder = mkdtempSync(join(tmpdir(), 'lima-test-'))
t.teardown(() => rmSync(folder, { recursive: true }))

const uname = (system: string, machine: string): string =>
  `case $1 in -s) echo ${system} ;; -m) echo ${machine} ;; esac`
const limactl = (version: string): string => `echo limactl version ${version}`

for (const [title, programs, kvm, expected] of [
  [
    'macOS 13.5 takes VZ',
    { uname: uname('Darwin', 'arm64'), sw_vers: 'echo 13.5', limactl: limactl('2.0.0') },
    false,
    { status: 0, stdout: 'vm=vz\naccelerated=yes\n', stderr: /^$/ },
  ],
  [
    'macOS 26.1 takes VZ, on Intel too',
    { uname: uname('Darwin', 'x86_64'), sw_vers: 'echo 26.1', limactl: limactl('v2.2.0') },
    false,
    { status: 0, stdout: 'vm=vz\naccelerated=yes\n', stderr: /^$/ },
  ],
  [
    'macOS 13.4.1 takes QEMU',
    {
      uname: uname('Darwin', 'arm64'),
      sw_vers: 'echo 13.4.1',
      limactl: limactl('2.1.0'),
      'qemu-system-aarch64': '',
    },
    false,
    { status: 0, stdout: 'vm=qemu\naccelerated=yes\n', stderr: /^$/ },
  ],
  [
    'macOS 12 without QEMU is told to install it',
    { uname: uname('Darwin', 'x86_64'), sw_vers: 'echo 12.7', limactl: limactl('2.1.0') },
    false,
    { status: 2, stdout: '', stderr: /no qemu-system-x86_64: brew install qemu/ },
  ],
  [
    'Linux with KVM takes QEMU',
    { uname: uname('Linux', 'x86_64'), limactl: limactl('2.0.3'), 'qemu-system-x86_64': '' },
    true,
    { status: 0, stdout: 'vm=qemu\naccelerated=yes\n', stderr: /^$/ },
  ],
  [
    'Linux without KVM is warned',
    { uname: uname('Linux', 'aarch64'), limactl: limactl('2.0.3'), 'qemu-system-aarch64': '' },
    false,
    { status: 0, stdout: 'vm=qemu\naccelerated=no\n', stderr: /no access to \/dev\/kvm/ },
  ],
  [
    'Linux without QEMU is told so',
    { uname: uname('Linux', 'x86_64'), limactl: limactl('2.0.3') },
    true,
    { status: 2, stdout: '', stderr: /no qemu-system-x86_64/ },
  ],
  [
    'no limactl',
    { uname: uname('Darwin', 'arm64'), sw_vers: 'echo 15.0' },
    false,
    { status: 2, stdout: '', stderr: /no limactl: brew install lima/ },
  ],
  [
    'a limactl that is too old',
    { uname: uname('Darwin', 'arm64'), sw_vers: 'echo 15.0', limactl: limactl('1.2.1') },
    false,
    { status: 2, stdout: '', stderr: /limactl 1\.2\.1: the template needs 2\.0/ },
  ],
  [
    'another system',
    { uname: uname('FreeBSD', 'x86_64') },
    false,
    { status: 2, stdout: '', stderr: /FreeBSD: Lima runs on macOS and Linux/ },
  ],
  [
    'another processor',
    { uname: uname('Linux', 'riscv64') },
    false,
    { status: 2, stdout: '', stderr: /riscv64: the images are for/ },
  ],
] as const) {
  t.test(`detect: ${title}`, async (t) => {
    const device = kvm ? join(folder, 'kvm') : join(folder, 'none')
    if (kvm) writeFileSync(device, '')
    const { status, stdout, stderr } = run('detect', pathOf(folder, programs), { KVM_DEVICE: device })
    t.equal(stdout, expected.stdout)
    t.match(stderr, expected.stderr)
    t.equal(status, expected.status)
  })
}

t.test('kubeconfig: names the context after the instance, in a file of its own', async (t) => {
  const dir = mkdtempSync(join(folder, 'instance-'))
  mkdirSync(join(dir, 'copied-from-guest'))
  const copied = join(dir, 'copied-from-guest/kubeconfig.yaml')
  const text =
    'current-context: default\nclusters:\n- name: default\n  cluster:\n    server: https://127.0.0.1:6443\n'
  writeFileSync(copied, text)
  const { status, stdout } = run('kubeconfig', pathOf(folder, { limactl: `echo ${dir}` }))
  t.equal(status, 0)
  t.equal(stdout, `export KUBECONFIG=${dir}/kubeconfig.yaml\n`)
  t.equal(readFileSync(copied, 'utf8'), text)
  t.equal(readFileSync(join(dir, 'kubeconfig.yaml'), 'utf8'), text.replaceAll(': default', ': lima-stepflow'))
})

t.test('kubeconfig: says what to do where the VM does not run', async (t) => {
  const { status, stdout, stderr } = run('kubeconfig', pathOf(folder, { limactl: 'exit 1' }))
  t.equal(status, 2)
  t.equal(stdout, '')
  t.match(stderr, /does not run: lima\/up/)
})

t.test('up: creates the VM once, builds both images in it, pushes them', async (t) => {
  const log = join(folder, 'up.log')
  const programs = {
    uname: uname('Darwin', 'arm64'),
    sw_vers: 'echo 15.0',
    limactl: `case $1 in
--version) echo limactl version 2.2.0 ;;
list) [ -f ${folder}/created ] && echo stepflow ;;
create) : > ${folder}/created; echo "$@" >> ${log} ;;
*) echo "$@" >> ${log} ;;
esac`,
  }
  // It looks for free ports by connecting; another port than its own may be taken on this machine.
  const path = pathOf(folder, programs)
  writeFileSync(join(folder, 'created'), '')
  const again = run('up', path)
  t.equal(again.status, 0, again.stderr)
  const calls = readFileSync(log, 'utf8')
  t.notMatch(calls, /^create/m)
  t.match(calls, /^start --tty=false --timeout 20m stepflow$/m)
  t.match(
    calls,
    /buildah build .*IMAGE=stepflow-gauntlet-harness .*localhost:5000\/stepflow-gauntlet-harness:\d/,
  )
  t.match(calls, /buildah push .*localhost:5000\/stepflow-gauntlet:\d/)
  t.match(again.stdout, /npm run deploy -- --overlay lima/)
})

t.test('down: a VM that is not there is no error', async (t) => {
  const { status, stdout } = run('down', pathOf(folder, { limactl: 'exit 0' }))
  t.equal(status, 0)
  t.match(stdout, /there is no VM named stepflow/)
})
