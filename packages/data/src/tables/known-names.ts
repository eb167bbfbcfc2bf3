/**
 * Known names of columns of users, items, values and times, without case and separators: `userId`, `user_id` and `User ID` are
 * the same name. They come from MovieLens, Amazon reviews, LastFM, Yelp, Criteo, RetailRocket, H&M, Steam, Book-Crossing,
 * Google Analytics, and the examples of TFRS and RecBole.
 */

/** The role of a column of interactions. */
export type ColumnRole = 'user' | 'item' | 'value' | 'weight' | 'time' | 'event';

/** Names by role, the best first: of two matching columns, the one whose name comes first in the list is used. */
export const KNOWN_NAMES: ReadonlyMap<ColumnRole, readonly string[]> = new Map([
  [
    'user',
    [
      ...['userid', 'user', 'uid', 'customerid', 'customer', 'visitorid', 'reviewerid', 'memberid', 'accountid'],
      ...['profileid', 'buyerid', 'clientid', 'shopperid', 'subscriberid', 'viewerid', 'listenerid', 'readerid'],
      ...['playerid', 'personid', 'username', 'userno', 'usernumber', 'cookieid', 'deviceid', 'sessionid', 'session'],
      ...['visitor', 'member', 'account', 'client', 'buyer', 'reviewer', 'author', 'query', 'queryid', 'fullvisitorid'],
    ],
  ],
  [
    'item',
    [
      ...['itemid', 'item', 'movieid', 'productid', 'parentasin', 'asin', 'articleid', 'trackid', 'songid', 'artistid'],
      ...['bookid', 'isbn', 'businessid', 'videoid', 'newsid', 'contentid', 'gameid', 'appid', 'animeid', 'recipeid'],
      ...['listingid', 'jobid', 'courseid', 'postid', 'documentid', 'docid', 'showid', 'hotelid', 'restaurantid'],
      ...['placeid', 'locationid', 'venueid', 'sku', 'productcode', 'stockcode', 'adid', 'offerid', 'candidateid'],
      ...['iid', 'mid', 'pid', 'movie', 'product', 'article', 'track', 'song', 'artist', 'book', 'business', 'video'],
      ...['content', 'game', 'app', 'candidate', 'offer', 'movietitle', 'itemname', 'productname'],
    ],
  ],
  [
    'value',
    [
      'rating',
      'ratings',
      'stars',
      'score',
      'value',
      'overall',
      'userrating',
      'bookrating',
      'preference',
      'feedback',
      'label',
      'like',
      'liked',
      'ratingvalue',
      'reviewrating',
    ],
  ],
  [
    'weight',
    [
      'weight',
      'count',
      'plays',
      'playcount',
      'listens',
      'listeningcount',
      'quantity',
      'qty',
      'clicks',
      'views',
      'purchases',
      'hours',
      'playtime',
      'confidence',
      'frequency',
      'strength',
      'amount',
    ],
  ],
  [
    'time',
    [
      ...[
        'timestamp',
        'time',
        'ts',
        'datetime',
        'date',
        'unixreviewtime',
        'unixtime',
        'eventtime',
        'createdat',
        'created',
      ],
      ...['reviewtime', 'ratedat', 'occurredat', 'eventtimestamp', 'updatedat', 'invoicedate', 'tdat', 'purchasedate'],
      ...['orderdate', 'visittime', 'epoch', 'when', 'lastplayed', 'ratingtimestamp'],
    ],
  ],
  [
    'event',
    ['event', 'eventtype', 'action', 'type', 'behavior', 'behaviour', 'behaviortype', 'interaction', 'interactiontype'],
  ],
]);

/** A name without case, spaces and separators. */
export function bareName(name: string): string {
  // RecBole appends the type to the name, as in `user_id:token`.
  return name
    .replace(/:(token|float|token_seq|float_seq)$/, '')
    .toLowerCase()
    .replace(/[^\p{L}\p{N}]/gu, '');
}

/** Names of columns that describe an item. */
const ITEM_NAMES: ReadonlySet<string> = new Set([
  'id',
  'title',
  'name',
  'genres',
  'genre',
  'category',
  'categories',
  'brand',
  'price',
  'description',
  'tags',
  'year',
]);

const ALL_NAMES: ReadonlySet<string> = new Set([...KNOWN_NAMES.values()].flat());

/** True for a known name of a column. */
export function isKnownName(name: string): boolean {
  const bare = bareName(name);
  return ALL_NAMES.has(bare) || ITEM_NAMES.has(bare);
}
