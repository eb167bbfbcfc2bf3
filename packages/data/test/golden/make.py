# Makes the files of this folder with pyarrow 25, pandas and zstandard: python make.py
import pyarrow as pa, pyarrow.parquet as pq, pyarrow.feather as fe, pyarrow.ipc as ipc, zstandard, datetime as dt, os
os.chdir(os.path.dirname(os.path.abspath(__file__)))
n=240
u=[f'u{i%37:03d}' for i in range(n)]; it=[(i*7919)%211+10**15*9 for i in range(n)]
t=pa.table({'user_id':pa.array(u).dictionary_encode(),'item_id':pa.array(it,pa.int64()),'rating':pa.array([None if i==5 else (i%9+2)/2 for i in range(n)],pa.float32()),
 'at':pa.array([dt.datetime(2020,1,1)+dt.timedelta(minutes=i) for i in range(n)],pa.timestamp('us',tz='UTC')),'tags':pa.array([['a','b'] if i%2 else ['c'] for i in range(n)]),'ok':pa.array([i%3==0 for i in range(n)])})
pq.write_table(t,'interactions-snappy.parquet',row_group_size=100)
for c in ('gzip','zstd','brotli','lz4'): pq.write_table(t,f'interactions-{c}.parquet',compression=c,row_group_size=100)
fe.write_feather(t,'interactions-lz4.arrow',compression='lz4',chunksize=100)
fe.write_feather(t,'interactions-zstd.arrow',compression='zstd',chunksize=100)
with ipc.new_stream('interactions.arrows',t.schema) as w:
    for b in t.to_batches(max_chunksize=100): w.write_batch(b)
s='user,item\n'+''.join(f'u{i%37},i{(i*31)%101}\n' for i in range(600))
open('pairs.csv.zst','wb').write(zstandard.ZstdCompressor().compress(s.encode()))
open('pairs-two-frames.csv.zst','wb').write(zstandard.ZstdCompressor().compress(s[:2000].encode())+zstandard.ZstdCompressor().compress(s[2000:].encode()))
v=pa.table({'item_id':pa.array([f'i{i}' for i in range(5)]),'embedding':pa.array([[i,i+.5,-i] for i in range(5)],pa.list_(pa.float32())),'other':pa.array([[1.,2.]]*5,pa.list_(pa.float64())),'title':pa.array(list('abcde'))})
pq.write_table(v.drop(['other']),'vectors.parquet',row_group_size=3)
pq.write_table(v.set_column(0,'sku',v['item_id']),'vectors-two-columns.parquet',row_group_size=3)
