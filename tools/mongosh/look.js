// What people type into MongoDB's shell to look into the legacy collections:
//
//   mongosh --quiet --norc URI look.js
//
// Prints one JSON object: what it has found of each collection.
const found = {};
for (const name of db.getCollectionNames().sort()) {
  if (name.startsWith('system.')) continue;
  const c = db.getCollection(name);
  const newest = c.find({}).sort({ createdAt: -1 }).limit(50).toArray();
  const statuses = Object.fromEntries(
    c.aggregate([{ $match: { status: { $exists: true } } }, { $group: { _id: '$status', n: { $sum: 1 } } }, { $sort: { n: -1, _id: 1 } }])
      .toArray().map((g) => [g._id, Number(g.n)]));
  for (const [status, n] of Object.entries(statuses)) {
    if (c.countDocuments({ status }) !== n) throw new Error(`${name}: ${status} is counted in two ways`);
  }
  const ids = c.find({}, { _id: 1 }).sort({ _id: 1 }).toArray().map((d) => d._id);
  const pages = [];
  for (let skip = 0; skip < ids.length; skip += 3) {
    pages.push(...c.find({}, { _id: 1 }).sort({ _id: 1 }).skip(skip).limit(3).toArray().map((d) => d._id));
  }
  if (EJSON.stringify(pages) !== EJSON.stringify(ids)) throw new Error(`${name}: its pages are not its documents`);
  if (newest.length > 0 && c.findOne({ _id: ObjectId(newest[0]._id.toHexString()) })._id.toHexString() !== newest[0]._id.toHexString()) {
    throw new Error(`${name}: not found by its ObjectId`);
  }
  found[name] = { documents: Number(c.countDocuments({})), newest: newest.length, statuses };
}
print(JSON.stringify(found));
