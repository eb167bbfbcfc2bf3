/**
 * The files that the download tests serve: zip archives made by hand, synthetic data in the format of MovieLens, a
 * loopback server.
 */
import { createHash } from 'node:crypto';
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { deflateRawSync } from 'node:zlib';
import { MOVIELENS_GENRES, type MovieLens, type MovieLensFiles } from '../../src/data/movielens-100k.ts';
import type { MovieLensArchive } from '../../src/data/movielens-archive.ts';

/** A zip archive of the entries, deflated, or stored where `stored` says so. */
export function makeZip(
  entries: Readonly<Record<string, Uint8Array>>,
  { stored = false, comment = '' }: { stored?: boolean; comment?: string } = {},
): Buffer {
  const locals: Buffer[] = [];
  const directory: Buffer[] = [];
  let offset = 0;
  for (const [name, plain] of Object.entries(entries)) {
    const packed = stored ? Buffer.from(plain) : deflateRawSync(plain);
    // From "version needed" to "extra length": the part the two headers share. The CRC stays 0; nobody reads it.
    const shared = Buffer.alloc(26);
    shared.writeUInt16LE(20, 0);
    shared.writeUInt16LE(stored ? 0 : 8, 4);
    shared.writeUInt32LE(packed.length, 14);
    shared.writeUInt32LE(plain.length, 18);
    shared.writeUInt16LE(name.length, 22);
    const local = Buffer.concat([Buffer.from('PK\x03\x04'), shared, Buffer.from(name, 'latin1'), packed]);
    const tail = Buffer.alloc(14);
    tail.writeUInt32LE(offset, 10);
    directory.push(Buffer.from('PK\x01\x02\x14\x00'), shared, tail, Buffer.from(name, 'latin1'));
    locals.push(local);
    offset += local.length;
  }
  const central = Buffer.concat(directory);
  const end = Buffer.alloc(22);
  end.write('PK\x05\x06', 'latin1');
  end.writeUInt16LE(Object.keys(entries).length, 8);
  end.writeUInt16LE(Object.keys(entries).length, 10);
  end.writeUInt32LE(central.length, 12);
  end.writeUInt32LE(offset, 16);
  end.writeUInt16LE(comment.length, 20);
  return Buffer.concat([...locals, central, end, Buffer.from(comment, 'latin1')]);
}

export function sha256(bytes: Uint8Array): string {
  return createHash('sha256').update(bytes).digest('hex');
}

/** The three files in which MovieLens would publish this world. */
export function filesOf({ interactions, movies, users }: MovieLens): MovieLensFiles {
  const lines = (length: number, line: (row: number) => string): Uint8Array =>
    Buffer.from(Array.from({ length }, (_, row) => `${line(row)}\n`).join(''), 'latin1');
  return {
    ratings: lines(interactions.length, (i) =>
      [interactions.userIds[i], interactions.movieIds[i], interactions.ratings[i], interactions.timestamps[i]].join(
        '\t',
      ),
    ),
    movies: lines(movies.length, (i) => {
      const flags = MOVIELENS_GENRES.map((genre) => (movies.genres[i]!.includes(genre) ? '1' : '0'));
      return [movies.ids[i], movies.titles[i], movies.releaseDates[i], '', '', ...flags].join('|');
    }),
    users: lines(users.length, (i) =>
      [users.ids[i], users.ages[i], users.genders[i], users.occupations[i], users.zipCodes[i]].join('|'),
    ),
  };
}

/** The files as an archive at `url`, beside entries nobody asks for. */
export function archiveOf(files: MovieLensFiles, url: string): { archive: MovieLensArchive; zip: Buffer } {
  const zip = makeZip({
    'ml-100k/': new Uint8Array(),
    '../../escaped': Buffer.from('x'),
    'ml-100k/u.data': files.ratings,
    'ml-100k/u.item': files.movies,
    'ml-100k/u.user': files.users,
  });
  const describe = (entry: string, bytes: Uint8Array) => ({ entry, sizeBytes: bytes.length, sha256: sha256(bytes) });
  return {
    zip,
    archive: {
      url,
      sizeBytes: zip.length,
      sha256: sha256(zip),
      files: {
        ratings: describe('ml-100k/u.data', files.ratings),
        movies: describe('ml-100k/u.item', files.movies),
        users: describe('ml-100k/u.user', files.users),
      },
    },
  };
}

/** A server on the loopback address, and the ranges it was asked for. */
export interface Loopback {
  readonly url: string;
  /** The `Range` header of each request, '' where there was none. */
  readonly ranges: string[];
  close(): void;
}

/** Serve with `handler` until closed. */
export async function serve(handler: (request: IncomingMessage, response: ServerResponse) => void): Promise<Loopback> {
  const ranges: string[] = [];
  const server = createServer((request, response) => {
    ranges.push(request.headers.range ?? '');
    handler(request, response);
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  return {
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}/ml-100k.zip`,
    ranges,
    close: () => {
      server.closeAllConnections();
      server.close();
    },
  };
}

/** Answer as a file server does: the whole, or the range that was asked for. */
export function sendFile(bytes: Uint8Array, request: IncomingMessage, response: ServerResponse): void {
  const start = Number(/^bytes=(\d+)-$/.exec(request.headers.range ?? '')?.[1] ?? Number.NaN);
  if (Number.isNaN(start)) {
    response.writeHead(200, { 'content-length': bytes.length }).end(bytes);
  } else if (start >= bytes.length) {
    response.writeHead(416).end();
  } else {
    const range = `bytes ${start}-${bytes.length - 1}/${bytes.length}`;
    response
      .writeHead(206, { 'content-length': bytes.length - start, 'content-range': range })
      .end(bytes.subarray(start));
  }
}
