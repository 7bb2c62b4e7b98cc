/** The parsers of /proc against files of several kernels, counters that wrap, files with parts missing, and garbage. */
import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { describe, it } from 'node:test';
import fc from 'fast-check';
import { cpuPercents } from './cpu.ts';
import { busyPercent, emptyDiskLine, isWholeDisk, parseDiskstats } from './disk.ts';
import { filesystemValues } from './filesystem.ts';
import { parseFileNr, parseUptime } from './host.ts';
import { parseLoadavg } from './load.ts';
import { memoryValues, parseMeminfo } from './memory.ts';
import { parseMountinfo } from './mounts.ts';
import { fieldLists, parseNetDev } from './network.ts';
import { parsePressure, stallPercent } from './pressure.ts';
import { ProcText } from './proc-text.ts';
import { emptyStat, parseStat, type Stat } from './stat.ts';

const fixture = (path: string): ProcText => ProcText.of(readFileSync(new URL(`fixtures/${path}`, import.meta.url)));

const statOf = (text: string): Stat => {
  const stat = emptyStat();
  parseStat(ProcText.of(text), stat);
  return stat;
};

type Row = { fields: string; values: (number | undefined)[] };
const rowsOf = (
  run: (add: (fields: readonly string[], values: readonly (number | undefined)[]) => void) => void,
): Row[] => {
  const rows: Row[] = [];
  run((fields, values) => rows.push({ fields: fields.join(':'), values: [...values] }));
  return rows;
};

describe('/proc/stat', () => {
  it('is read as written by 2.6.32 and by 6.18', () => {
    const old = emptyStat();
    parseStat(fixture('linux-2.6.32/stat'), old);
    assert.deepEqual([...old.times.subarray(0, 8)], [1033210, 5520, 402251, 96235551, 152345, 1200, 25110, 0]);
    assert.deepEqual(
      [old.rows, old.contextSwitches, old.forks, old.interrupts, old.running, old.blocked],
      [3, 312345678, 245123, 91923445, 3, 1],
    );
    const now = emptyStat();
    parseStat(fixture('linux-6.18/stat'), now);
    assert.equal(now.rows, 3);
    assert.ok((now.contextSwitches ?? 0) > 0 && (now.forks ?? 0) > 0);
  });

  it('keeps apart cores that are offline', () => {
    const stat = statOf('cpu  4 0 4 4\ncpu0 1 0 1 1\ncpu3 3 0 3 3\n');
    assert.deepEqual([...stat.columns], [4, 4, 0, 0, 4]);
    assert.equal(stat.forks, undefined);
  });

  it('forgets what the reading before had and this one has not', () => {
    const stat = emptyStat();
    parseStat(ProcText.of('cpu  4 0 4 4\ncpu0 1 0 1 1\nctxt 5\n'), stat);
    parseStat(ProcText.of('cpu  5 0 4 4\n'), stat);
    assert.equal(stat.rows, 1);
    assert.equal(stat.contextSwitches, undefined);
  });

  it('is refused without a line for all cores', () => {
    for (const text of ['', 'cpu\n', 'cpu  1 2\n', 'ctxt 12\n', '\0\0\0\0', 'cpux 1 2 3 4\n'])
      assert.throws(() => statOf(text), /no line "cpu"/);
  });
});

describe('percent of processor time', () => {
  it('is not there at the first tick and adds up at the second', () => {
    const percents = cpuPercents();
    assert.deepEqual(
      rowsOf((add) => percents.next(statOf('cpu  100 0 50 800 50 0 0 0\ncpu0 1 0 0 9\n'), add)),
      [],
    );
    const rows = rowsOf((add) => percents.next(statOf('cpu  130 10 60 840 60 0 0 0 99 99\ncpu0 2 0 0 10\n'), add));
    assert.deepEqual(rows[0], { fields: 'total', values: [50, 30, 10, 10, 10, 0, 0, 0, 40] });
    const none = undefined;
    assert.deepEqual(rows[1], { fields: '0', values: [50, 50, 0, 0, none, none, none, none, 50] });
  });

  it('counts a counter that went backwards as no time', () => {
    const percents = cpuPercents();
    percents.next(statOf('cpu  100 0 0 100 500 0 0 0\n'), () => undefined);
    const [row] = rowsOf((add) => percents.next(statOf('cpu  150 0 0 150 400 0 0 0\n'), add));
    assert.equal(row?.values[0], 50);
    assert.equal(row.values[4], 0);
  });

  it('has nothing for a core that just came up, or when no time passed', () => {
    const percents = cpuPercents();
    percents.next(statOf('cpu  1 0 0 1\n'), () => undefined);
    assert.deepEqual(
      rowsOf((add) => percents.next(statOf('cpu  2 0 0 2\ncpu1 5 0 0 5\n'), add)).map((row) => row.fields),
      ['total'],
    );
    assert.deepEqual(
      rowsOf((add) => percents.next(statOf('cpu  2 0 0 2\ncpu1 5 0 0 5\n'), add)),
      [],
    );
    const rows = rowsOf((add) => percents.next(statOf('cpu  3 0 0 3\ncpu1 6 0 0 5\n'), add));
    assert.deepEqual(
      rows.map((row) => row.fields),
      ['total', '1'],
    );
  });
});

describe('/proc/meminfo', () => {
  it('takes MemAvailable from kernels that have it', () => {
    const values = memoryValues(
      parseMeminfo(
        ProcText.of(
          'MemTotal: 1000 kB\nMemFree: 100 kB\nMemAvailable: 600 kB\nBuffers: 50 kB\nCached: 400 kB\nSReclaimable: 50 kB\nShmem: 20 kB\nDirty: 1 kB\nSwapTotal: 0 kB\nSwapFree: 0 kB\n',
        ),
      ),
    );
    assert.deepEqual(values, [40, ...[1000, 600, 100, 400, 50, 450, 20, 1, 0, 0].map((kib) => kib * 1024)]);
  });

  it('puts it together for those that have not', () => {
    const info = parseMeminfo(fixture('linux-2.6.32/meminfo'));
    const kib = 1024;
    const [usage, total, available, , , , , , , swapTotal, swapUsed] = memoryValues(info);
    assert.equal(total, 2058880 * kib);
    assert.equal(available, (103412 + 151200 + 1203400 + 121000 - 20480) * kib);
    assert.ok(usage !== undefined && usage > 24 && usage < 25);
    assert.equal(swapTotal, 4194296 * kib);
    assert.equal(swapUsed, 4296 * kib);
  });

  it('leaves out what a file does not say, and refuses one without a total', () => {
    const values = memoryValues(parseMeminfo(ProcText.of('MemTotal: 10 kB\nMemFree: 4 kB\nCached: x kB\n')));
    assert.deepEqual(
      values.slice(5),
      Array.from({ length: 6 }, () => undefined),
    );
    for (const text of ['', 'MemFree: 4 kB\n', 'MemTotal: 0 kB\nMemFree: 0 kB\n', 'garbage', 'MemTotal 5\nMemFree 4\n'])
      assert.throws(() => parseMeminfo(ProcText.of(text)), /MemTotal/);
  });
});

describe('/proc/loadavg, uptime, file-nr', () => {
  it('are read, or refused when they hold no numbers', () => {
    assert.deepEqual(parseLoadavg(ProcText.of('0.20 1.18 10.12 2/1834 11206\n')), {
      loads: [0.2, 1.18, 10.12],
      threads: 1834,
    });
    assert.deepEqual(parseLoadavg(ProcText.of('0.20 1.18 10.12\n')).threads, undefined);
    assert.throws(() => parseLoadavg(ProcText.of('0.20 nan 1\n')), /three numbers/);
    assert.equal(parseUptime(ProcText.of('350735.47 234388.90\n')), 350735.47);
    assert.throws(() => parseUptime(ProcText.of('')), /uptime/);
    assert.equal(parseFileNr(ProcText.of('1056\t0\t9223372036854775807\n')), 1056);
    assert.equal(parseFileNr(ProcText.of('1056\t56\t100\n')), 1000);
    assert.equal(parseFileNr(ProcText.of('x')), undefined);
  });
});

describe('/proc/pressure', () => {
  it('has "full" for the cpu only on newer kernels', () => {
    const text = 'some avg10=0.00 avg60=0.00 avg300=0.00 total=1500\n';
    assert.deepEqual(parsePressure(ProcText.of(text)), { some: 1500, full: undefined });
    assert.equal(typeof parsePressure(fixture('linux-6.18/pressure/io')).full, 'number');
    for (const bad of ['', 'some avg10=0.00\n', 'full total=3\n', 'some total=\n'])
      assert.throws(() => parsePressure(ProcText.of(bad)), /some/);
  });

  it('is the part of the time between two readings, never above 100 and nothing after a restart of the count', () => {
    assert.equal(stallPercent(1000, 251_000, 1000), 25);
    assert.equal(stallPercent(0, 2_000_000, 1000), 100);
    assert.equal(stallPercent(5, 4, 1000), undefined);
    assert.equal(stallPercent(undefined, 4, 1000), undefined);
    assert.equal(stallPercent(1, 4, 0), undefined);
  });
});

describe('/proc/net/dev', () => {
  it('leaves out loop-back, veth and what never carried a packet, and reads a number glued to the colon', () => {
    const rows = rowsOf((add) => parseNetDev(fixture('linux-2.6.32/net/dev'), add, fieldLists()));
    assert.deepEqual(rows, [
      { fields: 'eth0', values: [4294967295, 1234567890, 31234567, 21234567, 2, 1, 11, 3] },
      { fields: 'eth0:1', values: [100, 200, 2, 3, 0, 0, 0, 0] },
    ]);
  });

  it('passes over short lines and refuses a file without an interface', () => {
    assert.throws(() => parseNetDev(ProcText.of('Inter-|\n face |\n'), () => undefined, fieldLists()), /no line/);
    assert.throws(() => parseNetDev(ProcText.of('eth0: 1 2 3\n'), () => undefined, fieldLists()), /no line/);
  });
});

describe('/proc/diskstats', () => {
  const names = (path: string): string[] => {
    const found: string[] = [];
    parseDiskstats(fixture(path), emptyDiskLine(), (line) => found.push(line.name));
    return found;
  };

  it('is read with 4, 11, 15 and 17 numbers per line', () => {
    assert.deepEqual(names('linux-2.6.32/diskstats'), ['ram0', 'loop0', 'sda', 'sda1', 'sda2', 'sr0', 'dm-0']);
    parseDiskstats(fixture('linux-5.15/diskstats'), emptyDiskLine(), (line) => {
      if (line.name !== 'nvme0n1') return;
      assert.deepEqual(line, {
        name: 'nvme0n1',
        reads: 1523411,
        readSectors: 99123456,
        readMs: 412345,
        writes: 812345,
        writtenSectors: 110123456,
        writeMs: 912341,
        inProgress: 3,
        busyMs: 512345,
      });
    });
    const found: string[] = [];
    const text = ProcText.of('   8 1 sda1 12 24 3 6\n   8 0 sda 1 2 3 4 5 6 7 8 9 10 11\n');
    parseDiskstats(text, emptyDiskLine(), (line) => found.push(line.name));
    assert.deepEqual(found, ['sda']);
  });

  it('tells whole disks from partitions and pseudo devices, by /sys and without it', () => {
    for (const name of ['sda', 'nvme0n1', 'vda', 'xvda', 'dm-0', 'md0', 'mmcblk0', 'cciss/c0d0'])
      assert.ok(isWholeDisk(name, undefined), name);
    for (const name of ['sda1', 'nvme0n1p2', 'mmcblk0p1', 'xvda1', 'md0p1', 'loop0', 'ram3', 'zram0', 'sr0', 'fd0'])
      assert.ok(!isWholeDisk(name, undefined), name);
    assert.ok(isWholeDisk('xvda1', new Set(['xvda1'])), 'a disk that is named like a partition');
    assert.ok(!isWholeDisk('sdb9', new Set(['sdb'])));
    assert.ok(!isWholeDisk('loop0', new Set(['loop0'])));
  });

  it('gives busy time in percent, over the wrap of its 32 bits, too', () => {
    assert.equal(busyPercent(1000, 1500, 1000), 50);
    assert.equal(busyPercent(1000, 2100, 1000), 100);
    assert.equal(busyPercent(2 ** 32 - 100, 400, 1000), 50);
    assert.equal(busyPercent(5000, 10, 1000), 0, 'a device that was taken away and came back');
    assert.equal(busyPercent(0, 10, 0), 0);
  });

  it('is empty on a machine without disks and refused when it is garbage', () => {
    parseDiskstats(ProcText.of(''), emptyDiskLine(), () => assert.fail('no line'));
    assert.throws(() => parseDiskstats(ProcText.of('hello\nworld\n'), emptyDiskLine(), () => undefined), /no line/);
  });
});

describe('/proc/self/mountinfo', () => {
  it('keeps what can fill up, once per device, and knows what a server answers for', () => {
    assert.deepEqual(
      parseMountinfo(fixture('linux-5.15/mountinfo')).map(({ path, device, fstype, remote }) =>
        [path, device, fstype, remote ? 'remote' : 'local'].join(' '),
      ),
      [
        '/ /dev/mapper/vg-root ext4 local',
        '/boot /dev/nvme0n1p2 ext4 local',
        '/boot/efi /dev/nvme0n1p1 vfat local',
        '/data /dev/sdc1 btrfs local',
        '/mnt/backup disk 10.0.0.5:/export/backup nfs4 remote',
        '/mnt/backup disk/local /dev/sdb1 xfs remote',
        '/mnt/hidden /dev/sdd1 ext4 local',
        '/run tmpfs tmpfs local',
      ],
    );
  });

  it('shows the root of a container and not the files its engine mounts', () => {
    const text =
      '700 600 0:90 / / rw - overlay overlay rw\n' +
      '701 700 254:1 /var/lib/x/hosts /etc/hosts rw - ext4 /dev/vda1 rw\n' +
      '702 700 254:1 /srv/data /data rw - ext4 /dev/vda1 rw\n';
    assert.deepEqual(
      parseMountinfo(ProcText.of(text)).map(({ path }) => path),
      ['/', '/data'],
    );
  });

  it('is refused when no line can be read', () => {
    for (const text of ['', 'garbage\n', '1 2 3:4 / / rw\n']) assert.throws(() => parseMountinfo(ProcText.of(text)));
  });
});

describe('room on a filesystem', () => {
  it('counts what unprivileged programs may use, as df does', () => {
    const stats = { bsize: 4096, blocks: 1000, bfree: 300, bavail: 200, files: 50, ffree: 20 };
    const values = filesystemValues(stats);
    assert.deepEqual(values, [(700 * 100) / 900, 4096000, 2867200, 819200, 50, 30]);
    assert.deepEqual(filesystemValues({ ...stats, files: 0, ffree: 0 })?.slice(4), [undefined, undefined]);
    assert.equal(filesystemValues({ ...stats, blocks: 0 }), undefined);
  });
});

it('no parser does anything but read or throw an Error, whatever the bytes', () => {
  const line = emptyDiskLine();
  const parsers: ((text: ProcText) => unknown)[] = [
    (text) => parseStat(text, emptyStat()),
    parseMeminfo,
    parseLoadavg,
    parseUptime,
    parseFileNr,
    parsePressure,
    (text) => parseNetDev(text, () => undefined, fieldLists()),
    (text) => parseDiskstats(text, line, () => undefined),
    parseMountinfo,
  ];
  const words = fc.constantFrom(
    'cpu ',
    'cpu9999999 ',
    'intr ',
    'MemTotal:',
    'some ',
    'total=',
    'eth0:',
    ' - ',
    '\n',
    '0.',
    '\\777',
    ' ',
  );
  const text = fc.array(fc.oneof(words, fc.string(), fc.nat().map(String)), { maxLength: 60 });
  fc.assert(
    fc.property(text, fc.constantFrom(...parsers), (parts, parse) => {
      try {
        parse(ProcText.of(parts.join('')));
      } catch (error) {
        assert.ok(
          error instanceof Error && !(error instanceof TypeError) && !(error instanceof RangeError),
          String(error),
        );
      }
    }),
    { numRuns: 2000 },
  );
});
