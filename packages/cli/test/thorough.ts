/** True in `npm run test:slow`, which runs every case of the tests of which `npm test` runs only some. */
export const isThorough: boolean = process.env.SHORTLIST_THOROUGH === '1';
