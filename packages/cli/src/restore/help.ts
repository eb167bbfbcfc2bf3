/** The page of `shortlist restore --help`. */
export const HELP: string = `shortlist restore: put a bundle into a folder of versions as its newest version

Usage: shortlist restore BUNDLE FOLDER, for example of a snapshot of a server:
  curl -f -o movies.shortlist http://127.0.0.1:8501/v1/bundle
  shortlist restore movies.shortlist /models/movies
`;
