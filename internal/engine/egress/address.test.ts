import t from 'tap'
import { canonicalAddress, createAddressRules, parseAllowList } from './address.js'

const rules = createAddressRules()

t.test('addresses of the public Internet are allowed', async t => {
  const addresses = [
    '1.1.1.1',
    '9.255.255.255',
    '11.0.0.0',
    '100.63.255.255',
    '100.128.0.0',
    '126.255.255.255',
    '128.0.0.0',
    '169.253.255.255',
    '172.15.255.255',
    '172.32.0.0',
    '192.167.255.255',
    '198.17.255.255',
    '198.20.0.0',
    '223.255.255.255',
    '168.63.129.15',
    '2606:4700::1111',
    '2a00:1450:4001:81b::200e',
    '2001:200::1',
    '2001:db7::1',
    '2003::1',
    '3ffe:ffff::1'
  ]
  for (const address of addresses) t.equal(rules.forbiddenRange(address), null, address)
})

t.test('each special range is refused by name, at both ends', async t => {
  const rows: readonly (readonly [range: string, ...addresses: string[]])[] = [
    ['this network', '0.0.0.0', '0.255.255.255'],
    [
      'private',
      '10.0.0.0',
      '10.255.255.255',
      '172.16.0.0',
      '172.31.255.255',
      '192.168.0.0',
      '192.168.255.255'
    ],
    ['carrier-grade NAT', '100.64.0.0', '100.127.255.255', '100.100.100.200'],
    ['loopback', '127.0.0.1', '127.255.255.255', '::1'],
    [
      'link-local, where clouds keep their metadata',
      '169.254.0.0',
      '169.254.169.254',
      '169.254.255.255'
    ],
    [
      'protocol assignments',
      '192.0.0.0',
      '192.0.0.192',
      '2001:2::1',
      '2001:10::1',
      '2001:1ff:ffff::1'
    ],
    ['documentation', '192.0.2.1', '198.51.100.1', '203.0.113.255', '2001:db8::1', '3fff::1'],
    ['anycast outside the Web', '192.31.196.1', '192.52.193.1', '192.175.48.1'],
    ['6to4 relay', '192.88.99.1'],
    ['benchmarking', '198.18.0.0', '198.19.255.255'],
    ['multicast', '224.0.0.1', '239.255.255.255', 'ff02::1', 'ff0e::1'],
    ['broadcast', '255.255.255.255'],
    ['reserved', '240.0.0.0', '255.255.255.254'],
    ['cloud platform', '168.63.129.16'],
    ['unspecified', '::'],
    ['unique local', 'fc00::1', 'fd00:ec2::254', 'fdff::1'],
    ['link-local', 'fe80::1', 'fe80::1%eth0', 'febf::1'],
    ['site-local', 'fec0::1'],
    ['discard', '100::1'],
    ['segment routing', '5f00::1'],
    ['Teredo', '2001:0:4136:e378:8000:63bf:3fff:fdd2', '2001::1'],
    ['6to4', '2002:7f00:1::', '2002:c0a8:101::1', '2002:808:808::1'],
    ['IPv4-compatible', '::127.0.0.1', '::8.8.8.8'],
    ['IPv4-translated', '::ffff:0:127.0.0.1', '::ffff:0:808:808'],
    ['NAT64 of a local network', '64:ff9b:1::7f00:1', '64:ff9b:1:ffff::8.8.8.8'],
    ['ISATAP', '2a00:1450::5efe:10.0.0.1', '2a00:1450::200:5efe:7f00:1'],
    ['not allocated to the Internet', '4000::1', '1::1', '64:ff9b:2::1', '9000::1']
  ]
  for (const [range, ...addresses] of rows)
    for (const address of addresses) t.equal(rules.forbiddenRange(address), range, address)
})

t.test('an address that a network translates is judged by the IPv4 address inside', async t => {
  t.equal(rules.forbiddenRange('::ffff:127.0.0.1'), 'loopback')
  t.equal(rules.forbiddenRange('::ffff:7f00:1'), 'loopback')
  t.equal(
    rules.forbiddenRange('0:0:0:0:0:ffff:a9fe:a9fe'),
    'link-local, where clouds keep their metadata'
  )
  t.equal(rules.forbiddenRange('::FFFF:10.0.0.1'), 'private')
  t.equal(rules.forbiddenRange('64:ff9b::7f00:1'), 'loopback')
  t.equal(rules.forbiddenRange('64:ff9b::192.168.0.1'), 'private')
  t.equal(rules.forbiddenRange('::ffff:1.1.1.1'), null)
  t.equal(rules.forbiddenRange('64:ff9b::1.1.1.1'), null)
})

t.test('each address has one canonical form', async t => {
  t.equal(canonicalAddress('fe80::1%eth0'), 'fe80:0:0:0:0:0:0:1')
  t.equal(canonicalAddress('1::'), '1:0:0:0:0:0:0:0')
  t.equal(canonicalAddress('1:2:3:4:5:6:7:8'), '1:2:3:4:5:6:7:8')
  t.equal(canonicalAddress('2001:DB8::1.2.3.4'), '2001:db8:0:0:0:0:102:304')
  t.equal(canonicalAddress('::ffff:102:304'), '1.2.3.4')
})

t.test('text that is not an address is refused', async t => {
  for (const text of [
    '',
    'localhost',
    '127.1',
    '0x7f000001',
    '2130706433',
    '127.0.0.1:80',
    '[::1]',
    '1.2.3.4.5',
    ' 1.1.1.1'
  ])
    t.equal(rules.forbiddenRange(text), 'not an IP address', text)
})

t.test('an allow list opens what it names, in any form, and nothing else', async t => {
  const { list, problems } = parseAllowList(' 127.0.0.0/8, ::1 ,10.1.2.3,fd00::/64')
  t.same(problems, [])
  const allowing = createAddressRules(list)
  t.equal(allowing.hasAllowList, true)
  for (const address of [
    '127.0.0.1',
    '127.9.9.9',
    '::ffff:127.0.0.1',
    '::1',
    '10.1.2.3',
    'fd00::5',
    '1.1.1.1'
  ])
    t.equal(allowing.forbiddenRange(address), null, address)
  for (const address of ['10.1.2.4', 'fd00:0:0:1::5', '169.254.169.254', '::2', '::ffff:10.0.0.1'])
    t.not(allowing.forbiddenRange(address), null, address)
})

t.test('an empty allow list counts as none', async t => {
  t.same(parseAllowList(' , '), { list: null, problems: [] })
  t.equal(createAddressRules(parseAllowList('').list).hasAllowList, false)
})

t.test('every invalid entry of an allow list is named, and then there is no list', async t => {
  const { list, problems } = parseAllowList(
    '127.0.0.0/8,localhost,10.0.0.0/33,::1/129,1.2.3.4/,fe80::1%eth0,1.2.3.4/8/8'
  )
  t.equal(list, null)
  t.same(
    problems.map(problem => problem.split(' ', 1)[0]),
    ['"localhost"', '"10.0.0.0/33"', '"::1/129"', '"1.2.3.4/"', '"fe80::1%eth0"', '"1.2.3.4/8/8"']
  )
})
