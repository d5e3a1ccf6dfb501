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

// usual are the questions that the old backend's services ask of a collection, with a document of it
// at hand: each must find that document.
const usual = {
  users: [(d) => ({ email: d.email }), (d) => ({ role: d.role, isActive: true }), (d) => ({ roles: { $in: [d.role] } })],
  categories: [(d) => ({ slug: d.slug }), () => ({ isActive: true })],
  purchaserequests: [
    (d) => ({ buyerId: d.buyerId }), (d) => ({ status: { $in: [d.status, 'nothing'] } }), (d) => ({ 'budget.currency': d.budget.currency, status: { $ne: 'nothing' } }),
    (d) => ({ title: { $regex: d.title.slice(0, 4).toUpperCase(), $options: 'i' } }), (d) => ({ createdAt: { $gte: d.createdAt, $lte: d.updatedAt } }),
  ],
  selleroffers: [(d) => ({ purchaseRequestId: d.purchaseRequestId, sellerId: d.sellerId }), (d) => ({ $or: [{ status: d.status }, { sellerId: d.buyerId }] })],
  payments: [
    (d) => ({ purchaseRequestId: d.purchaseRequestId }), (d) => ({ $or: [{ buyerId: d.buyerId }, { sellerId: d.buyerId }] }),
    (d) => ({ 'blockchain.chainId': d.blockchain.chainId, status: d.status }), (d) => ({ 'amount.currency': d.amount.currency }),
  ],
  fundsledgerentries: [(d) => ({ entryType: d.entryType, direction: d.direction }), (d) => ({ paymentId: d.paymentId, escrowHoldId: d.escrowHoldId })],
  paymentquotes: [(d) => ({ sellerOfferId: d.sellerOfferId })],
  confirmationthresholds: [(d) => ({ chainId: d.chainId })],
  releaseholds: [(d) => ({ purchaseRequestId: d.purchaseRequestId, status: d.status })],
  escrowholds: [(d) => ({ purchaseRequestId: d.purchaseRequestId }), (d) => ({ escrowState: d.escrowState })],
  disputes: [(d) => ({ purchaseRequestId: d.purchaseRequestId }), (d) => ({ status: d.status, priority: d.priority }), (d) => ({ $or: [{ buyerId: d.buyerId }, { sellerId: d.buyerId }] })],
  trezoraccounts: [(d) => ({ userId: d.userId, isActive: d.isActive })],
  deriveddestinations: [(d) => ({ address: d.address }), (d) => ({ paymentId: d.paymentId, status: d.status })],
};

// asked puts the usual questions, and checks that pages and groups add up; gives how many were asked.
async function asked(collection, name, all) {
  let questions = 0;
  for (const doc of all.slice(0, 5)) {
    for (const ask of usual[name] ?? fail(`${name}: nobody has said how the old backend asks it`)) {
      const filter = ask(doc);
      const n = await collection.countDocuments(filter);
      const some = await collection.find(filter).sort({ createdAt: -1, _id: 1 }).skip(0).limit(n).toArray();
      some.length === n || fail(`${name}: ${JSON.stringify(filter)} counts ${n} and finds ${some.length}`);
      some.some((d) => d._id.equals(doc._id)) || fail(`${name}: ${JSON.stringify(filter)} does not find ${doc._id}`);
      questions++;
    }
  }
  const pages = [];
  for (let skip = 0; skip < all.length; skip += 7) {
    pages.push(...await collection.find({}, { projection: { _id: 1 } }).sort({ _id: 1 }).skip(skip).limit(7).toArray());
  }
  new Set(pages.map((d) => d._id.toHexString())).size === all.length || fail(`${name}: its pages have ${pages.length} of ${all.length} documents`);
  const groups = await collection.aggregate([
    { $match: { createdAt: { $exists: name !== 'categories' } } }, { $group: { _id: '$status', n: { $sum: 1 } } }, { $sort: { n: -1 } },
  ]).toArray();
  groups.reduce((sum, g) => sum + g.n, 0) === all.length || fail(`${name}: its groups do not add up`);
  return questions;
}

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
    const questions = all.length > 0 ? await asked(collection, name, all) : 0;
    found[name] = { questions, documents: all.length, references: references_, statuses, fields: all.length ? Object.keys(all[0]) : [] };
  }
  console.log(JSON.stringify(found));
} finally {
  await client.close();
}
