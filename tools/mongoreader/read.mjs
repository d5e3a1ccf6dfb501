// Reads every legacy collection as the old backend would: by the npm driver, by ObjectId, by
// reference, by status, newest first. Prints one JSON object: what it has found of each.
//
//   node read.mjs mongodb://host:port/database collection…
import { MongoClient, ObjectId } from 'mongodb';

const [uri, ...names] = process.argv.slice(2);
const client = new MongoClient(uri, { serverSelectionTimeoutMS: 5000 });
const fail = (message) => { throw new Error(message); };

// references names the collection that a field points into.
const references = {
  buyerId: 'users', sellerId: 'users', userId: 'users', categoryId: 'categories', purchaseRequestId: 'purchaserequests',
  sellerOfferId: 'selleroffers', selectedOfferId: 'selleroffers', escrowHoldId: 'escrowholds', paymentId: 'payments',
};

try {
  await client.connect();
  const db = client.db();
  const found = {};
  for (const name of names) {
    const collection = db.collection(name);
    const all = await collection.find({}).sort({ createdAt: -1 }).limit(200).toArray();
    const statuses = {};
    let references_ = 0;
    for (const doc of all) {
      doc._id instanceof ObjectId || fail(`${name}: _id ${doc._id} is no ObjectId`);
      Number.isInteger(doc.__v) || fail(`${name} ${doc._id}: __v is ${doc.__v}`);
      doc._src === 'holdfast' || fail(`${name} ${doc._id}: not marked`);
      if (name !== 'categories') {
        doc.createdAt instanceof Date && doc.updatedAt instanceof Date || fail(`${name} ${doc._id}: no timestamps`);
      }
      for (const [field, target] of Object.entries(references)) {
        const id = doc[field];
        if (id === undefined || id === null) continue;
        id instanceof ObjectId || fail(`${name} ${doc._id}: ${field} is no ObjectId`);
        if (await db.collection(target).findOne({ _id: id })) references_++;
      }
      if (doc.status) statuses[doc.status] = (statuses[doc.status] ?? 0) + 1;
    }
    if (all.length > 0) {
      const again = await collection.findOne({ _id: new ObjectId(all[0]._id.toHexString()) });
      again?._pos === all[0]._pos || fail(`${name}: not found by its ObjectId`);
      for (const status of Object.keys(statuses)) {
        (await collection.countDocuments({ status })) >= statuses[status] || fail(`${name}: not found by status ${status}`);
      }
    }
    found[name] = { documents: all.length, references: references_, statuses, fields: all.length ? Object.keys(all[0]) : [] };
  }
  console.log(JSON.stringify(found));
} finally {
  await client.close();
}
