import eu.europa.esig.dss.model.FileDocument;
import eu.europa.esig.dss.model.x509.CertificateToken;
import eu.europa.esig.dss.spi.DSSUtils;
import eu.europa.esig.dss.spi.validation.CommonCertificateVerifier;
import eu.europa.esig.dss.spi.x509.CommonTrustedCertificateSource;
import eu.europa.esig.dss.validation.SignedDocumentValidator;
import eu.europa.esig.dss.validation.reports.Reports;
import eu.europa.esig.dss.diagnostic.*;
import java.io.File;
public class Check {
  public static void main(String[] a) throws Exception {
    CommonTrustedCertificateSource trust = new CommonTrustedCertificateSource();
    trust.addCertificate(DSSUtils.loadCertificate(new File(a[1])));
    CommonCertificateVerifier v = new CommonCertificateVerifier();
    v.addTrustedCertSources(trust);
    SignedDocumentValidator val = SignedDocumentValidator.fromDocument(new FileDocument(new File(a[0])));
    val.setCertificateVerifier(v);
    Reports r = val.validateDocument();
    System.out.println("container " + r.getDiagnosticData().getContainerInfo().getContainerType());
    for (EvidenceRecordWrapper e : r.getDiagnosticData().getEvidenceRecords()) {
      System.out.println("record " + e.getFilename() + " " + r.getSimpleReport().getIndication(e.getId()) + " " + r.getSimpleReport().getSubIndication(e.getId()));
      for (eu.europa.esig.dss.diagnostic.jaxb.XmlDigestMatcher m : e.getDigestMatchers())
        System.out.println("  " + m.getType() + " " + m.getDocumentName() + " found=" + m.isDataFound() + " intact=" + m.isDataIntact());
      for (TimestampWrapper t : e.getTimestampList()) System.out.println("  timestamp intact=" + t.isMessageImprintDataIntact() + " signature=" + t.isSignatureIntact() + " trusted=" + t.isTrustedChain());
      System.out.println("  errors " + r.getSimpleReport().getAdESValidationErrors(e.getId()));
    }
  }
}
